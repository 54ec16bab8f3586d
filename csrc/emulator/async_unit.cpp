#include "emulator/async_unit.h"

#include <cstring>
#include <stdexcept>

#include "common/checks.h"

namespace minidl::emulator {

void Groups::commit() {
  groups_.push_back(std::move(open_));
  open_.clear();
}

void Groups::wait(std::size_t pending) {
  while (groups_.size() > pending) {
    const auto oldest = std::move(groups_.front());
    groups_.erase(groups_.begin());
    for (const Operation& operation : oldest) operation();
  }
}

void Groups::clear() {
  open_.clear();
  groups_.clear();
}

void AsyncUnit::reset() {
  barriers_.clear();
  queue_.clear();
  seen_.clear();
}

std::string AsyncUnit::unfinished() const {
  if (!queue_.empty()) return concat(queue_.size(), " bulk copies are under way");
  for (const auto& [address, barrier] : barriers_) {
    if (barrier.pending != barrier.expected || barrier.bytes != 0) {
      return concat("the mbarrier at offset ", static_cast<const std::byte*>(address) - shared_,
                    " is in the middle of a phase: ", barrier.pending, " of ", barrier.expected,
                    " arrivals and ", barrier.bytes, " bytes to come");
    }
  }
  return "";
}

// ---- Barriers ---------------------------------------------------------------------------------

MBarrier& AsyncUnit::at(const void* barrier) {
  const auto found = barriers_.find(barrier);
  if (found == barriers_.end()) throw std::runtime_error("the mbarrier was not initialised");
  return found->second;
}

void AsyncUnit::init(const void* barrier, unsigned arrivals) {
  if (arrivals == 0) throw std::runtime_error("an mbarrier expects at least one arrival");
  fence();  // what is in shared memory so far belongs to nobody
  barriers_[barrier] = {arrivals, arrivals, 0, 0};
}

bool AsyncUnit::settle(MBarrier& barrier) {
  if (barrier.pending != 0 || barrier.bytes != 0) return false;
  barrier.pending = barrier.expected;
  barrier.phase ^= 1;
  return true;
}

bool AsyncUnit::arrive(const void* barrier, std::int64_t bytes) {
  MBarrier& b = at(barrier);
  if (b.pending == 0) {
    throw std::runtime_error(
        concat("more than the ", b.expected, " arrivals that the mbarrier expects in a phase"));
  }
  b.bytes += bytes;
  --b.pending;
  return settle(b);
}

bool AsyncUnit::complete(const void* barrier, std::int64_t bytes) {
  MBarrier& b = at(barrier);
  b.bytes -= bytes;
  return settle(b);
}

bool AsyncUnit::has_passed(const void* barrier, unsigned parity) {
  return at(barrier).phase != parity;
}

// ---- Operations -------------------------------------------------------------------------------

bool AsyncUnit::complete_one(Random* random) {
  if (queue_.empty()) return false;
  const std::size_t chosen = random ? random->below(queue_.size()) : 0;
  const Operation operation = std::move(queue_[chosen]);
  queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(chosen));
  operation();
  return true;
}

// ---- The asynchronous proxy -------------------------------------------------------------------

void AsyncUnit::fence() { seen_.assign(shared_, shared_ + bytes_); }

void AsyncUnit::write(std::byte* to, const std::byte* from, std::size_t bytes) {
  if (seen_.empty()) fence();
  std::memcpy(to, from, bytes);
  std::memcpy(seen_.data() + (to - shared_), from, bytes);
}

bool AsyncUnit::is_fenced(const std::byte* from, std::size_t bytes) const {
  return seen_.empty() || std::memcmp(from, seen_.data() + (from - shared_), bytes) == 0;
}

}  // namespace minidl::emulator
