// Runs a CUDA kernel on a CPU: one fiber per CUDA thread, one block after the other.
//
// What it checks while it runs, each an exception of launch() that names kernel, block and source
// line:
//   - a deadlock: threads wait at a barrier or a warp exchange that others never reach
//   - a diverged barrier: threads of one block wait at different __syncthreads()
//   - a thread that left the kernel although the block has a barrier to come
//   - a warp exchange with lanes that do not exist or are not in the mask
//   - writes outside shared memory (shared_memory.h)
//   - asynchronous copies and products: see async_unit.h
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "emulator/schedule.h"

namespace minidl::emulator {

struct Dim3 {
  unsigned x, y, z;
  constexpr Dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
  std::uint64_t count() const { return static_cast<std::uint64_t>(x) * y * z; }
};

struct Launch {
  const char* name;  // of the kernel, for messages
  Dim3 grid, block;
  std::size_t shared_bytes = 0;
};

// Where a thread waits: a line of a kernel.
struct Place {
  const char* what;
  const char* file;
  int line;
};

// What a warp does together: called once, with what each lane brought (null outside of the mask).
using Collective = void (*)(void* const* operands);

// What a warpgroup does together, with what each of its 128 threads brought.
using WarpgroupBody = std::function<void(void* const* operands)>;

enum class Exchange { shuffle, ballot, collective };

// Runs `kernel` once for every thread of the launch. One launch at a time; others wait.
void launch(const Launch& launch, const Schedule& schedule, const std::function<void()>& kernel);

// ---- What a running thread may ask -------------------------------------------------------------

struct Position {
  Dim3 thread, block, block_dim, grid_dim;
};
extern const Position* position;  // of the running thread

std::byte* shared_memory();
void barrier(Place place);

// Waits for the lanes of `mask`. shuffle: the value that lane `source` brought. ballot: a bit for
// each lane whose value is not 0.
std::uint64_t exchange(Exchange kind, std::uint32_t mask, std::uint64_t value, unsigned source,
                       Place place);

// Waits for the lanes of `mask`, the last of which runs `body` on what all brought: an instruction
// whose operands are spread over a warp.
void collective(std::uint32_t mask, void* operand, Collective body, Place place);

// Throws where `bytes` bytes at `address` do not lie in shared memory, aligned to their number.
void check_shared(const void* address, std::size_t bytes, Place place);

// Throws where the emulated device (capability.h) is older: 80 is compute capability 8.0.
void require(int capability, Place place);

// cp.async of this thread. A copy completes as late as allowed, when a wait asks for it; a shuffled
// schedule completes some at once.
void start_copy(void* to, const void* from, std::size_t bytes, std::size_t source_bytes,
                Place place);
void commit_copies();
void wait_for_copies(std::size_t pending_groups);
void wait_for_all_copies();

// ---- The asynchronous parts of sm_90 (async_unit.h) ---------------------------------------------

void mbarrier_init(const void* barrier, unsigned arrivals, Place place);
void mbarrier_arrive(const void* barrier, std::int64_t bytes, Place place);  // and expects bytes
void mbarrier_complete(const void* barrier, std::int64_t bytes);             // bytes have come
void mbarrier_wait(const void* barrier, unsigned parity, Place place);

// An operation that completes later, at a time of the emulator's choice.
void start_async(std::function<void()> operation);

// Bulk stores of this thread: each joins the open group; see Groups.
void start_store(std::function<void()> operation);
void commit_stores();
void wait_for_stores(std::size_t pending_groups);

// wgmma: the last of the 128 threads runs `body`. Operations that it adds complete in groups.
void warpgroup(void* operand, const WarpgroupBody& body, Place place);
void start_multiplication(std::function<void()> operation);
void commit_multiplications();
void wait_for_multiplications(std::size_t pending_groups);

// bar.sync, or bar.arrive where it does not wait, of barrier `number` (1 to 15) for `count`
// threads.
void named_barrier(unsigned number, unsigned count, bool waits, Place place);

// The asynchronous proxy: its own writes, what it may read, and the fence that shows it ordinary
// stores.
void fence_proxy_async();
void proxy_write(void* to, const void* from, std::size_t bytes);
void check_fenced(const void* from, std::size_t bytes, Place place);

[[noreturn]] void fail(Place place, const std::string& what);

// A point where the order of threads matters: a shuffled schedule may continue with another thread.
void preempt();

}  // namespace minidl::emulator
