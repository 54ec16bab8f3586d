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

void preempt() { running_block("an atomic").preempt(); }

}  // namespace minidl::emulator
