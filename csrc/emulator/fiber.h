// A fiber: a stack, and the place where execution on it stands. Cooperative; all fibers of a launch
// run on one OS thread. Assembly on x86-64, ucontext elsewhere or with MINIDL_EMULATOR_UCONTEXT
// (slower: a system call a switch). AddressSanitizer is told about every switch, so kernels run
// under it unchanged.
#pragma once

#include <cstddef>

#if !defined(__x86_64__) || defined(MINIDL_EMULATOR_UCONTEXT)
#include <ucontext.h>
#endif

namespace minidl::emulator {

class Fiber {
 public:
  using Body = void (*)();  // never returns; it leaves by switching to another fiber

  Fiber() = default;          // stands for the stack that the caller is on
  explicit Fiber(Body body);  // a stack of its own; the first switch to it starts `body`
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Forgets whatever the fiber was doing: the next switch to it starts `body` again. Frames left on
  // the stack are not unwound, which is right for kernels: device code owns nothing.
  void restart();

  // Suspends `from`, the running fiber, and continues `to`. Returns when someone switches back to
  // `from`.
  static void switch_between(Fiber& from, Fiber& to);

 private:
  static void enter();
  static void arrive(Fiber& here);

  Body body_ = nullptr;
  void* mapping_ = nullptr;       // a guard page, then the stack
  const void* bottom_ = nullptr;  // lowest address of the stack
  std::size_t size_ = 0;
  void* asan_fake_stack_ = nullptr;
#if defined(__x86_64__) && !defined(MINIDL_EMULATOR_UCONTEXT)
  void* stack_pointer_ = nullptr;
#else
  ucontext_t context_{};
#endif
};

}  // namespace minidl::emulator
