// What a block has under way besides its threads: mbarriers, bulk copies that complete on them,
// bulk stores in groups, and wgmma. Completion is as late as allowed: a bulk copy when no thread
// can go on without it, a store or a wgmma when a wait asks for it. A shuffled schedule completes
// some at any earlier moment.
//
// The asynchronous proxy has a view of shared memory of its own (`seen`): what ordinary stores
// wrote enters it at fence.proxy.async. A bulk store or a wgmma that reads bytes which differ from
// the view reads what was never fenced: an error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "emulator/schedule.h"

namespace minidl::emulator {

struct MBarrier {
  unsigned expected = 0, pending = 0;  // arrivals of a phase; those to come in this one
  std::int64_t bytes = 0;              // announced and not yet there
  unsigned phase = 0;                  // parity
};

// One asynchronous operation; it throws where it finds a fault.
using Operation = std::function<void()>;

// Operations of one thread or warpgroup that complete in groups, oldest first.
class Groups {
 public:
  void add(Operation operation) { open_.push_back(std::move(operation)); }
  void commit();
  void wait(std::size_t pending);  // completes all groups but the newest `pending`
  bool idle() const { return open_.empty() && groups_.empty(); }
  void clear();

 private:
  std::vector<Operation> open_;
  std::vector<std::vector<Operation>> groups_;
};

class AsyncUnit {
 public:
  AsyncUnit(std::byte* shared, std::size_t bytes) : shared_(shared), bytes_(bytes) {}

  // Forgets everything: a block begins.
  void reset();

  // What is left undone at the end of a block, in words; empty where nothing is.
  std::string unfinished() const;

  // ---- Barriers. They throw std::runtime_error with a sentence about the barrier.
  void init(const void* barrier, unsigned arrivals);
  bool arrive(const void* barrier, std::int64_t bytes);    // whether the phase ended
  bool complete(const void* barrier, std::int64_t bytes);  // likewise
  bool has_passed(const void* barrier,
                  unsigned parity);  // whether the phase of that parity is over

  // ---- Operations that complete on a barrier
  void start(Operation operation) { queue_.push_back(std::move(operation)); }
  bool complete_one(Random* random);  // the oldest, or any; false where none is under way

  // ---- The asynchronous proxy
  void fence();
  void write(std::byte* to, const std::byte* from, std::size_t bytes);  // by the proxy itself
  bool is_fenced(const std::byte* from, std::size_t bytes) const;

 private:
  MBarrier& at(const void* barrier);
  bool settle(MBarrier& barrier);

  std::byte* shared_;
  std::size_t bytes_;
  std::vector<std::byte> seen_;  // empty until something asynchronous happens
  std::map<const void*, MBarrier> barriers_;
  std::vector<Operation> queue_;
};

}  // namespace minidl::emulator
