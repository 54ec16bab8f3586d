// One running block: its threads, what they wait for, and which of them goes on.
#pragma once

#include <exception>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "emulator/async_copies.h"
#include "emulator/async_unit.h"
#include "emulator/fiber.h"
#include "emulator/machine.h"
#include "emulator/shared_memory.h"

namespace minidl::emulator {

struct Thread {
  Position position;
  unsigned index = 0;      // within the block, x fastest
  Fiber* fiber = nullptr;  // none before the thread starts and after it ends
  bool exited = false;
  Place waits{};  // waits.what is null while the thread can go on
  std::uint64_t received = 0;
  AsyncCopies copies;
  Groups stores;                   // bulk stores
  const void* mbarrier = nullptr;  // waits until the phase of `parity` of this one is over
  unsigned parity = 0;
};

// The 128 threads of a warpgroup on their way to an instruction that they execute together.
struct WarpgroupMeeting {
  unsigned arrived = 0;
  Place place{};
  void* operands[128]{};
};

// Threads that wait at bar.sync of one number.
struct NamedBarrier {
  unsigned count = 0, arrived = 0;
  std::vector<Thread*> waiting;
};

// Lanes of a warp that wait for each other.
struct Rendezvous {
  Exchange kind;
  std::uint32_t mask = 0, arrived = 0;
  Collective body = nullptr;
  std::uint64_t value[32]{};
  unsigned source[32]{};
};

// Fibers are expensive to make (a mapping each) and cheap to reuse.
class FiberPool {
 public:
  explicit FiberPool(Fiber::Body body) : body_(body) {}
  Fiber* take();
  void give(Fiber* fiber) { idle_.push_back(fiber); }
  void restart_all();

 private:
  Fiber::Body body_;
  std::vector<std::unique_ptr<Fiber>> all_;
  std::vector<Fiber*> idle_;
};

class Block {
 public:
  Block(const Launch& launch, const Schedule& schedule, const std::function<void()>& kernel);

  // Runs all threads of a block to their ends; throws what a thread threw.
  void run(Dim3 block_index);

  // Called by the running thread.
  void barrier(Place place);
  std::uint64_t exchange(Exchange kind, std::uint32_t mask, std::uint64_t value, unsigned source,
                         Place place, Collective body = nullptr);
  void preempt();
  std::byte* shared_memory() const { return shared_.data(); }
  void check_shared(const void* address, std::size_t bytes, Place place) const;
  void start_copy(const AsyncCopy& copy, Place place);
  AsyncCopies& copies() { return current_->copies; }
  void require(int capability, Place place) const;

  AsyncUnit& async() { return async_; }
  Groups& stores() { return current_->stores; }
  bool completes_early() { return shuffled_ && random_.below(4) == 0; }
  void mbarrier_arrive(const void* barrier, std::int64_t bytes, Place place);
  void mbarrier_complete(const void* barrier, std::int64_t bytes);
  void mbarrier_wait(const void* barrier, unsigned parity, Place place);
  void warpgroup(void* operand, WarpgroupBody body, Place place);
  Groups& multiplications() { return multiplications_[current_->index / 128]; }
  void named_barrier(unsigned number, unsigned count, bool waits, Place place);
  [[noreturn]] void fail_at(Place place, const std::string& what) const;

  // The body of every fiber: runs threads until none can start here.
  static void fiber_body();

 private:
  void run_threads();
  void finish(Thread& thread);
  Thread* next();
  void wait(Place place);
  void resume(Thread& thread);
  void go_on(Fiber& from);
  [[noreturn]] void fail(const std::string& what) const;
  std::string waiting() const;
  Rendezvous& rendezvous(unsigned warp, Exchange kind, std::uint32_t mask, Collective body);
  void complete(unsigned warp, const Rendezvous& meeting);
  void release_waiters(const void* barrier);
  void check_end() const;

  const Launch& launch_;
  const bool shuffled_, uneven_;
  Random random_;
  const int capability_;
  const std::function<void()>& kernel_;
  SharedMemory shared_;
  AsyncUnit async_;
  std::vector<Thread> threads_;
  std::vector<Thread*> ready_;  // from head_ on; the rest has gone
  std::size_t head_ = 0;
  std::vector<std::vector<Rendezvous>> warps_;  // meetings under way, by warp
  std::vector<WarpgroupMeeting> warpgroups_;
  std::vector<Groups> multiplications_;  // wgmma, by warpgroup
  std::map<unsigned, NamedBarrier> named_;
  Thread* current_ = nullptr;
  unsigned exited_ = 0, at_barrier_ = 0;
  Fiber main_;
  std::exception_ptr failure_;
};

}  // namespace minidl::emulator
