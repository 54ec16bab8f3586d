#include "cpu/phases.h"

#include <sched.h>

#include <algorithm>
#include <atomic>

#include "cpu/thread_pool.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace minidl::cpu {
namespace {

constexpr int64_t kMostMembers = 64;
constexpr int kSpins = 2000;  // some 20 microseconds, longer than a phase of a small layer

// The blocks that one member prefers, and how many of them were taken, all phases together. On a
// cache line of its own: its member writes it with every block, the others read it once a phase.
struct alignas(64) Share {
  int64_t begin = 0, count = 0;
  std::atomic<int64_t> taken{0};

  // Takes a block of this phase, the blocks of the phases before it being done.
  bool take(int64_t phase, int64_t& block) {
    int64_t seen = taken.load(std::memory_order_relaxed);
    while (seen < (phase + 1) * count) {
      if (!taken.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed)) continue;
      block = begin + seen - phase * count;
      return true;
    }
    return false;
  }
};

class March {
 public:
  March(int64_t phases, int64_t blocks, int64_t members, Erased body)
      : phases_(phases), blocks_(blocks), members_(members), body_(body) {
    for (int64_t m = 0; m < members; ++m) {
      shares_[m].begin = m * blocks / members;
      shares_[m].count = (m + 1) * blocks / members - shares_[m].begin;
    }
  }

  void walk(int64_t member) noexcept {
    for (int64_t phase = 0; phase < phases_; ++phase) {
      int64_t mine = 0, block;
      for (int64_t m = 0; m < members_; ++m) {
        Share& share = shares_[(member + m) % members_];
        for (; share.take(phase, block); ++mine) body_(phase, block);
      }
      if (mine > 0) done_.fetch_add(mine, std::memory_order_acq_rel);
      wait_for((phase + 1) * blocks_);
    }
  }

 private:
  // What is waited for was taken by threads that are running it.
  void wait_for(int64_t count) const {
    for (int spins = 0; done_.load(std::memory_order_acquire) < count; ++spins) {
      if (spins >= kSpins) {
        sched_yield();
        continue;
      }
#if defined(__x86_64__)
      _mm_pause();
#endif
    }
  }

  const int64_t phases_, blocks_, members_;
  const Erased body_;
  Share shares_[kMostMembers];
  alignas(64) std::atomic<int64_t> done_{0};  // blocks, all phases together
};

}  // namespace

void run_phases(int64_t phases, int64_t blocks, Erased body) {
  if (blocks <= 0) return;
  const int64_t members = std::min({blocks, int64_t{get_num_threads()}, kMostMembers});
  March march(phases, blocks, members, body);
  parallel_for(members, 1, [&](int64_t member, int64_t) { march.walk(member); });
}

}  // namespace minidl::cpu
