// A block's part in asynchronous operations: who waits for what.
#include "common/checks.h"
#include "emulator/block.h"

namespace minidl::emulator {

void Block::fail_at(Place place, const std::string& what) const {
  fail(concat(place.what, " (", place.file, ":", place.line, ") ", what));
}

// ---- mbarrier ---------------------------------------------------------------------------------

void Block::release_waiters(const void* barrier) {
  for (Thread& thread : threads_) {
    if (thread.mbarrier != barrier || !async_.has_passed(barrier, thread.parity)) continue;
    thread.mbarrier = nullptr;
    thread.waits = {};
    ready_.push_back(&thread);
  }
}

void Block::mbarrier_arrive(const void* barrier, std::int64_t bytes, Place place) {
  preempt();  // the order of arrivals is not defined
  try {
    if (async_.arrive(barrier, bytes)) release_waiters(barrier);
  } catch (const std::runtime_error& error) {
    fail_at(place, error.what());
  }
}

void Block::mbarrier_complete(const void* barrier, std::int64_t bytes) {
  if (async_.complete(barrier, bytes)) release_waiters(barrier);
}

void Block::mbarrier_wait(const void* barrier, unsigned parity, Place place) {
  try {
    if (async_.has_passed(barrier, parity)) return preempt();
  } catch (const std::runtime_error& error) {
    fail_at(place, error.what());
  }
  current_->mbarrier = barrier;
  current_->parity = parity;
  wait(place);
}

// ---- Warpgroups and named barriers ------------------------------------------------------------

void Block::warpgroup(void* operand, WarpgroupBody body, Place place) {
  const unsigned group = current_->index / 128;
  if (threads_.size() < (group + 1) * 128) fail_at(place, "needs a whole warpgroup of 128 threads");
  WarpgroupMeeting& meeting = warpgroups_[group];
  if (meeting.arrived && (meeting.place.line != place.line || meeting.place.file != place.file)) {
    fail_at(place, concat("meets ", meeting.place.what, " (", meeting.place.file, ":",
                          meeting.place.line, ") of the same warpgroup"));
  }
  meeting.place = place;
  meeting.operands[current_->index % 128] = operand;
  if (++meeting.arrived < 128) return wait(place);
  meeting.arrived = 0;
  body(meeting.operands);
  for (unsigned i = 0; i < 128; ++i) {
    Thread& thread = threads_[group * 128 + i];
    thread.waits = {};
    if (&thread != current_) ready_.push_back(&thread);
  }
  preempt();
}

void Block::named_barrier(unsigned number, unsigned count, bool waits, Place place) {
  if (number < 1 || number > 15 || count % 32 || count == 0 || count > threads_.size()) {
    fail_at(place, concat("of barrier ", number, " for ", count, " threads does not exist"));
  }
  NamedBarrier& barrier = named_[number];
  if (barrier.arrived && barrier.count != count) {
    fail_at(place, concat("counts ", count, " threads where others count ", barrier.count));
  }
  barrier.count = count;
  const bool last = ++barrier.arrived == count;
  if (!last) {
    if (!waits) return preempt();
    barrier.waiting.push_back(current_);
    return wait(place);
  }
  for (Thread* thread : barrier.waiting) {
    thread->waits = {};
    ready_.push_back(thread);
  }
  barrier = {};
  preempt();
}

void Block::check_end() const {
  std::string what = async_.unfinished();
  for (const Groups& groups : multiplications_) {
    if (!groups.idle()) what = "wgmma is under way";
  }
  for (const auto& [number, barrier] : named_) {
    if (barrier.arrived) what = concat("barrier ", number, " waits for more threads");
  }
  if (!what.empty()) {
    throw std::runtime_error(concat("emulator: kernel '", launch_.name, "' ended while ", what));
  }
}

}  // namespace minidl::emulator
