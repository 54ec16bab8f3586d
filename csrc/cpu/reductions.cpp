#include "cpu/reductions.h"

#include <algorithm>
#include <atomic>

#include "cpu/thread_pool.h"

namespace minidl::cpu {
namespace {

constexpr int64_t kTask = 1 << 15;  // elements of a task
constexpr int64_t kBlock = 512;     // columns that are summed side by side

uint64_t sum_run(const int64_t* x, int64_t n) {
  uint64_t total = 0;
  for (int64_t i = 0; i < n; ++i) total += static_cast<uint64_t>(x[i]);
  return total;
}

}  // namespace

void sum_whole(const ReduceShape& s, const int64_t* x, int64_t* out) {
  if (s.k0 * s.k1 == 1) {  // the order of whole numbers does not matter
    std::atomic<uint64_t> total{0};
    parallel_for(s.r0 * s.r1, kTask,
                 [&](int64_t begin, int64_t end) { total += sum_run(x + begin, end - begin); });
    *out = static_cast<int64_t>(total.load());
    return;
  }
  const int64_t blocks = (s.k1 + kBlock - 1) / kBlock, wide = std::min(kBlock, s.k1);
  const int64_t work = std::max<int64_t>(1, s.r0 * s.r1 * wide);
  parallel_for(s.k0 * blocks, std::max<int64_t>(1, kTask / work), [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t k0 = unit / blocks, column = unit % blocks * kBlock;
      const int64_t width = std::min(kBlock, s.k1 - column);
      uint64_t totals[kBlock] = {};
      for (int64_t r0 = 0; r0 < s.r0; ++r0) {
        const int64_t* from = x + (r0 * s.k0 + k0) * s.r1 * s.k1 + column;
        if (s.k1 == 1) {
          totals[0] += sum_run(from, s.r1);
          continue;
        }
        for (int64_t r1 = 0; r1 < s.r1; ++r1, from += s.k1) {
          for (int64_t j = 0; j < width; ++j) totals[j] += static_cast<uint64_t>(from[j]);
        }
      }
      for (int64_t j = 0; j < width; ++j) {
        out[k0 * s.k1 + column + j] = static_cast<int64_t>(totals[j]);
      }
    }
  });
}

}  // namespace minidl::cpu
