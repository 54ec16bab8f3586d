#include "emulator/machine.h"

#include <mutex>

#include "common/checks.h"
#include "emulator/block.h"

namespace minidl::emulator {
namespace {

std::mutex one_launch;
Block* active = nullptr;

Block& running_block(const char* what) {
  if (!active) throw std::runtime_error(concat("emulator: ", what, " outside a kernel"));
  return *active;
}

}  // namespace

void launch(const Launch& launch, const Schedule& schedule, const std::function<void()>& kernel) {
  const std::lock_guard lock(one_launch);
  Block block(launch, schedule, kernel);
  active = &block;
  struct Deactivate {
    ~Deactivate() { active = nullptr; }
  } deactivate;
  const BlockOrder order(launch.grid.count(), schedule);
  for (std::uint64_t i = 0; i < launch.grid.count(); ++i) {
    const std::uint64_t b = order.at(i), row = b / launch.grid.x;
    block.run({static_cast<unsigned>(b % launch.grid.x), static_cast<unsigned>(row % launch.grid.y),
               static_cast<unsigned>(row / launch.grid.y)});
  }
}

std::byte* shared_memory() { return running_block("shared memory").shared_memory(); }

void barrier(Place place) { running_block("a barrier").barrier(place); }

std::uint64_t exchange(Exchange kind, std::uint32_t mask, std::uint64_t value, unsigned source,
                       Place place) {
  return running_block("a warp exchange").exchange(kind, mask, value, source, place);
}

void collective(std::uint32_t mask, void* operand, Collective body, Place place) {
  const auto bits = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(operand));
  running_block(place.what).exchange(Exchange::collective, mask, bits, 0, place, body);
}

void check_shared(const void* address, std::size_t bytes, Place place) {
  running_block(place.what).check_shared(address, bytes, place);
}

void require(int capability, Place place) { running_block(place.what).require(capability, place); }

void start_copy(void* to, const void* from, std::size_t bytes, std::size_t source_bytes,
                Place place) {
  running_block(place.what)
      .start_copy(
          {static_cast<std::byte*>(to), static_cast<const std::byte*>(from), bytes, source_bytes},
          place);
}

void commit_copies() { running_block("cp_async_commit").copies().commit(); }

void wait_for_copies(std::size_t pending_groups) {
  running_block("cp_async_wait").copies().wait(pending_groups);
}

void wait_for_all_copies() { running_block("cp_async_wait_all").copies().wait_all(); }

void preempt() { running_block("an atomic").preempt(); }

}  // namespace minidl::emulator
