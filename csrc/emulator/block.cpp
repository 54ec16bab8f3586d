#include "emulator/block.h"

#include <algorithm>
#include <map>

#include "common/checks.h"
#include "emulator/capability.h"

namespace minidl::emulator {

const Position* position = nullptr;

namespace {

constexpr unsigned warp_size = 32;

Block* running = nullptr;  // the block that the fibers work for

// The pool outlives its launches; leaving it to static destruction would order it against other
// statics for nothing, so it is never destroyed.
FiberPool& pool() {
  static auto* fibers = new FiberPool(&Block::fiber_body);
  return *fibers;
}

std::string spell(Dim3 d) { return concat("(", d.x, ", ", d.y, ", ", d.z, ")"); }

}  // namespace

Fiber* FiberPool::take() {
  if (idle_.empty()) {
    all_.push_back(std::make_unique<Fiber>(body_));
    return all_.back().get();
  }
  Fiber* fiber = idle_.back();
  idle_.pop_back();
  return fiber;
}

void FiberPool::restart_all() {
  idle_.clear();
  for (auto& fiber : all_) {
    fiber->restart();
    idle_.push_back(fiber.get());
  }
}

Block::Block(const Launch& launch, const Schedule& schedule, const std::function<void()>& kernel)
    : launch_(launch),
      shuffled_(schedule.seed.has_value()),
      uneven_(schedule.seed && *schedule.seed % 4 == 0),
      random_(schedule.seed.value_or(0)),
      capability_(capability_from_environment()),
      kernel_(kernel),
      shared_(launch.shared_bytes),
      async_(shared_.data(), launch.shared_bytes),
      threads_(launch.block.count()),
      warps_((threads_.size() + warp_size - 1) / warp_size),
      warpgroups_((threads_.size() + 127) / 128),
      multiplications_(warpgroups_.size()) {
  for (unsigned i = 0; i < threads_.size(); ++i) {
    const auto [x, y, z] = launch.block;
    threads_[i].index = i;
    threads_[i].position = {{i % x, i / x % y, i / x / y}, {}, launch.block, launch.grid};
  }
}

// ---- Threads ----------------------------------------------------------------------------------

void Block::run(Dim3 block_index) {
  shared_.poison();
  async_.reset();
  named_.clear();
  for (Groups& groups : multiplications_) groups.clear();
  ready_.clear();
  head_ = exited_ = at_barrier_ = 0;
  for (Thread& thread : threads_) {
    thread.position.block = block_index;
    thread.exited = false;
    thread.copies.clear();
    thread.stores.clear();
    thread.mbarrier = nullptr;
    ready_.push_back(&thread);
  }
  running = this;
  resume(*next());
  Fiber::switch_between(main_, *current_->fiber);
  running = nullptr;
  position = nullptr;
  if (failure_) {
    pool().restart_all();  // some are in the middle of the kernel
    std::rethrow_exception(failure_);
  }
  check_end();
  shared_.check(launch_.name);
}

void Block::fiber_body() {
  for (;;) running->run_threads();
}

void Block::run_threads() {
  Fiber& here = *current_->fiber;
  try {
    for (;;) {
      kernel_();
      finish(*current_);
      // The next thread can start on this fiber without a switch if it has not started elsewhere.
      // In a kernel without barriers that is every thread.
      Thread* following = next();
      if (following && !following->fiber) {
        following->fiber = &here;
        resume(*following);
        continue;
      }
      pool().give(&here);
      if (following) {
        resume(*following);
        break;
      }
      if (exited_ < threads_.size()) fail("deadlock: " + waiting());
      current_ = nullptr;
      break;
    }
  } catch (...) {
    failure_ = std::current_exception();
    current_ = nullptr;
  }
  Fiber::switch_between(here, current_ ? *current_->fiber : main_);
}

void Block::finish(Thread& thread) {
  thread.exited = true;
  thread.fiber = nullptr;
  ++exited_;
  if (const std::size_t copies = thread.copies.under_way()) {
    fail(concat("thread ", spell(thread.position.thread), " left with ", copies,
                " cp.async under way"));
  }
  if (!thread.stores.idle()) {
    fail("thread " + spell(thread.position.thread) + " left with bulk stores under way");
  }
  if (at_barrier_) fail("thread " + spell(thread.position.thread) + " left while " + waiting());
}

// The thread that goes on now; null where all wait or have ended.
Thread* Block::next() {
  if (completes_early()) async_.complete_one(&random_);
  while (head_ == ready_.size()) {
    if (!async_.complete_one(shuffled_ ? &random_ : nullptr)) return nullptr;
  }
  if (head_ >= 4096) {
    ready_.erase(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  if (uneven_ && random_.below(8)) {  // mostly who became ready last
    Thread* const last = ready_.back();
    ready_.pop_back();
    return last;
  }
  if (shuffled_) std::swap(ready_[head_], ready_[head_ + random_.below(ready_.size() - head_)]);
  return ready_[head_++];
}

void Block::resume(Thread& thread) {
  current_ = &thread;
  position = &thread.position;
  if (!thread.fiber) thread.fiber = pool().take();
}

// Suspends the running thread until it is ready again and chosen.
void Block::wait(Place place) {
  current_->waits = place;
  go_on(*current_->fiber);
}

void Block::go_on(Fiber& from) {
  Thread* following = next();
  if (!following) fail("deadlock: " + waiting());
  resume(*following);
  if (following->fiber != &from) Fiber::switch_between(from, *following->fiber);
}

void Block::preempt() {
  if (!shuffled_) return;
  ready_.push_back(current_);
  go_on(*current_->fiber);
}

// ---- Barriers ---------------------------------------------------------------------------------

void Block::barrier(Place place) {
  if (exited_) {
    fail(concat("a thread waits at ", place.what, " (", place.file, ":", place.line, ") but ",
                exited_, " of ", threads_.size(), " threads have left the kernel"));
  }
  ++at_barrier_;
  current_->waits = place;
  if (at_barrier_ < threads_.size()) return wait(place);
  for (const Thread& thread : threads_) {
    if (thread.waits.line != place.line || thread.waits.file != place.file) {
      fail("diverged barrier: " + waiting());
    }
  }
  at_barrier_ = 0;
  const std::size_t first = uneven_ ? random_.below(threads_.size()) : 0;
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    Thread& thread = threads_[(first + i) % threads_.size()];
    thread.waits = {};
    if (&thread != current_) ready_.push_back(&thread);
  }
  preempt();
}

Rendezvous& Block::rendezvous(unsigned warp, Exchange kind, std::uint32_t mask, Collective body) {
  for (Rendezvous& meeting : warps_[warp]) {
    if (meeting.mask == mask && meeting.kind == kind && meeting.body == body) return meeting;
  }
  return warps_[warp].emplace_back(Rendezvous{.kind = kind, .mask = mask, .body = body});
}

std::uint64_t Block::exchange(Exchange kind, std::uint32_t mask, std::uint64_t value,
                              unsigned source, Place place, Collective body) {
  const unsigned warp = current_->index / warp_size, lane = current_->index % warp_size;
  const auto lanes = std::min<std::size_t>(warp_size, threads_.size() - warp * warp_size);
  const std::uint32_t existing = lanes == warp_size ? ~0u : (1u << lanes) - 1;
  if (!(mask >> lane & 1)) fail(concat(place.what, ": lane ", lane, " is not in its own mask"));
  if (mask & ~existing) {
    fail(concat(place.what, ": the mask names lanes that warp ", warp, " of ", lanes,
                " threads does not have"));
  }
  if (kind == Exchange::shuffle && !(mask >> source & 1)) {
    fail(concat(place.what, ": lane ", lane, " reads lane ", source, ", which is not in the mask"));
  }
  Rendezvous& meeting = rendezvous(warp, kind, mask, body);
  meeting.arrived |= 1u << lane;
  meeting.value[lane] = value;
  meeting.source[lane] = source;
  Thread& self = *current_;
  if (meeting.arrived != mask) {
    wait(place);
  } else {
    complete(warp, meeting);
    preempt();
  }
  return self.received;
}

void Block::complete(unsigned warp, const Rendezvous& meeting) {
  if (meeting.body) {
    void* operands[warp_size];
    for (unsigned lane = 0; lane < warp_size; ++lane) {
      operands[lane] = reinterpret_cast<void*>(static_cast<std::uintptr_t>(meeting.value[lane]));
    }
    meeting.body(operands);
  }
  std::uint64_t votes = 0;
  for (unsigned lane = 0; lane < warp_size; ++lane) {
    if (meeting.mask >> lane & 1 && meeting.value[lane]) votes |= std::uint64_t{1} << lane;
  }
  for (unsigned lane = 0; lane < warp_size; ++lane) {
    if (!(meeting.mask >> lane & 1)) continue;
    Thread& thread = threads_[warp * warp_size + lane];
    thread.received =
        meeting.kind == Exchange::ballot ? votes : meeting.value[meeting.source[lane]];
    thread.waits = {};
    if (&thread != current_) ready_.push_back(&thread);
  }
  auto& meetings = warps_[warp];
  meetings.erase(meetings.begin() + (&meeting - meetings.data()));
}

// ---- Memory -----------------------------------------------------------------------------------

void Block::check_shared(const void* address, std::size_t bytes, Place place) const {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  const auto begin = reinterpret_cast<std::uintptr_t>(shared_.data());
  if (at < begin || at + bytes > begin + launch_.shared_bytes || (at - begin) % bytes) {
    fail(concat(place.what, " (", place.file, ":", place.line, "): ", bytes, " bytes at offset ",
                static_cast<std::int64_t>(at - begin), " of ", launch_.shared_bytes,
                " bytes of shared memory are outside or not aligned"));
  }
}

void Block::start_copy(const AsyncCopy& copy, Place place) {
  check_shared(copy.to, copy.bytes, place);
  if (reinterpret_cast<std::uintptr_t>(copy.from) % copy.bytes || copy.source_bytes > copy.bytes) {
    fail(concat(place.what, " (", place.file, ":", place.line, ") of ", copy.source_bytes,
                " bytes to ", copy.bytes, ": the source is too large or not aligned"));
  }
  current_->copies.start(copy, shuffled_ && random_.below(4) == 0);
}

void Block::require(int capability, Place place) const {
  if (capability_ >= capability) return;
  fail(concat(place.what, " (", place.file, ":", place.line, ") needs compute capability ",
              capability / 10, ".", capability % 10));
}

// ---- Messages ---------------------------------------------------------------------------------

std::string Block::waiting() const {
  std::map<std::string, unsigned> places;
  for (const Thread& thread : threads_) {
    const auto& [what, file, line] = thread.waits;
    if (!thread.exited && what) ++places[concat(what, " (", file, ":", line, ")")];
  }
  std::string text = concat(exited_, " of ", threads_.size(), " threads have left");
  for (const auto& [place, count] : places) text += concat(", ", count, " wait at ", place);
  return text;
}

void Block::fail(const std::string& what) const {
  throw std::runtime_error(concat("emulator: kernel '", launch_.name, "', block ",
                                  spell(current_->position.block), ": ", what));
}

}  // namespace minidl::emulator
