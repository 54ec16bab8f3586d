#include "emulator/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <new>

#include "emulator/sanitizer.h"

#if defined(__x86_64__) && !defined(MINIDL_EMULATOR_UCONTEXT)
// Saves the callee-saved registers of the running fiber on its stack and its stack pointer in
// *from; loads those of the other. Everything else is the caller's to save, by the System V ABI.
asm(R"(
.text
.hidden minidl_switch_stack
.globl minidl_switch_stack
.type minidl_switch_stack,@function
minidl_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size minidl_switch_stack,.-minidl_switch_stack
)");
extern "C" void minidl_switch_stack(void** from, void* to);
#endif

namespace minidl::emulator {
namespace {

// Sanitizers put redzones around every local, so frames are several times larger under them.
constexpr std::size_t stack_bytes = (address_sanitizer ? 512 : 128) * 1024;

Fiber* previous = nullptr;  // who switched last: its stack bounds are learned on arrival
Fiber* running = nullptr;

}  // namespace

Fiber::Fiber(Body body) : body_(body), size_(stack_bytes) {
  const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* mapping = mmap(nullptr, stack_bytes + page, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) throw std::bad_alloc();
  mprotect(mapping, page, PROT_NONE);  // an overflow faults here instead of eating a neighbour
  mapping_ = mapping;
  bottom_ = static_cast<char*>(mapping) + page;
  restart();
}

Fiber::~Fiber() {
  if (!mapping_) return;
  const char* begin = static_cast<const char*>(mapping_);
  allow_access(const_cast<void*>(bottom_), size_);
  munmap(mapping_, static_cast<std::size_t>(static_cast<const char*>(bottom_) - begin) + size_);
}

void Fiber::enter() {
  arrive(*running);
  running->body_();
  std::abort();  // a body has no one to return to
}

void Fiber::arrive(Fiber& here) {
  finish_switch(here.asan_fake_stack_, &previous->bottom_, &previous->size_);
}

#if defined(__x86_64__) && !defined(MINIDL_EMULATOR_UCONTEXT)

void Fiber::restart() {
  allow_access(const_cast<void*>(bottom_), size_);
  asan_fake_stack_ = nullptr;
  const auto top = (reinterpret_cast<std::uintptr_t>(bottom_) + size_) & ~std::uintptr_t{15};
  auto* slot = reinterpret_cast<void**>(top);
  *--slot = nullptr;  // where a return address would be: keeps `enter` aligned as after a call
  *--slot = reinterpret_cast<void*>(&Fiber::enter);
  for (int saved = 0; saved < 6; ++saved) *--slot = nullptr;
  stack_pointer_ = slot;
}

void Fiber::switch_between(Fiber& from, Fiber& to) {
  previous = &from;
  running = &to;
  start_switch(&from.asan_fake_stack_, to.bottom_, to.size_);
  minidl_switch_stack(&from.stack_pointer_, to.stack_pointer_);
  arrive(from);
}

#else

void Fiber::restart() {
  allow_access(const_cast<void*>(bottom_), size_);
  asan_fake_stack_ = nullptr;
  getcontext(&context_);
  context_.uc_stack.ss_sp = const_cast<void*>(bottom_);
  context_.uc_stack.ss_size = size_;
  context_.uc_link = nullptr;
  makecontext(&context_, &Fiber::enter, 0);
}

void Fiber::switch_between(Fiber& from, Fiber& to) {
  previous = &from;
  running = &to;
  start_switch(&from.asan_fake_stack_, to.bottom_, to.size_);
  swapcontext(&from.context_, &to.context_);
  arrive(from);
}

#endif

}  // namespace minidl::emulator
