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

void mbarrier_init(const void* barrier, unsigned arrivals, Place place) {
  Block& block = running_block(place.what);
  block.require(90, place);
  block.check_shared(barrier, 8, place);
  block.async().init(barrier, arrivals);
}

void mbarrier_arrive(const void* barrier, std::int64_t bytes, Place place) {
  running_block(place.what).mbarrier_arrive(barrier, bytes, place);
}

void mbarrier_complete(const void* barrier, std::int64_t bytes) {
  running_block("an asynchronous copy").mbarrier_complete(barrier, bytes);
}

void mbarrier_wait(const void* barrier, unsigned parity, Place place) {
  running_block(place.what).mbarrier_wait(barrier, parity, place);
}

void start_async(std::function<void()> operation) {
  running_block("an asynchronous copy").async().start(std::move(operation));
}

void start_store(std::function<void()> operation) {
  running_block("a bulk store").stores().add(std::move(operation));
}

void commit_stores() {
  Block& block = running_block("a bulk store");
  block.stores().commit();
  if (block.completes_early()) block.stores().wait(0);
}

void wait_for_stores(std::size_t pending_groups) {
  running_block("a bulk store").stores().wait(pending_groups);
}

void warpgroup(void* operand, const WarpgroupBody& body, Place place) {
  running_block(place.what).warpgroup(operand, body, place);
}

void start_multiplication(std::function<void()> operation) {
  running_block("wgmma").multiplications().add(std::move(operation));
}

void commit_multiplications() {
  Block& block = running_block("wgmma");
  block.multiplications().commit();
  if (block.completes_early()) block.multiplications().wait(0);
}

void wait_for_multiplications(std::size_t pending_groups) {
  running_block("wgmma").multiplications().wait(pending_groups);
}

void named_barrier(unsigned number, unsigned count, bool waits, Place place) {
  running_block(place.what).named_barrier(number, count, waits, place);
}

void fence_proxy_async() { running_block("fence.proxy.async").async().fence(); }

void proxy_write(void* to, const void* from, std::size_t bytes) {
  running_block("an asynchronous copy")
      .async()
      .write(static_cast<std::byte*>(to), static_cast<const std::byte*>(from), bytes);
}

void check_fenced(const void* from, std::size_t bytes, Place place) {
  Block& block = running_block(place.what);
  if (block.async().is_fenced(static_cast<const std::byte*>(from), bytes)) return;
  block.fail_at(place, "reads shared memory that ordinary stores wrote without fence.proxy.async");
}

void fail(Place place, const std::string& what) { running_block(place.what).fail_at(place, what); }

void preempt() { running_block("an atomic").preempt(); }

}  // namespace minidl::emulator
