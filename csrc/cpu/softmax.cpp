#include "cpu/softmax.h"

#include <algorithm>
#include <atomic>
#include <cstddef>

#include "cpu/thread_pool.h"

namespace minidl::cpu {

int64_t first_out_of_range(const int64_t* indices, int64_t count, int64_t limit,
                           const int64_t* ignore) {
  if (limit <= 0) limit = 0;
  const int64_t skipped = ignore == nullptr ? 0 : *ignore;
  const auto outside = [=](int64_t index) {
    const bool counts = ignore == nullptr || index != skipped;
    return static_cast<uint64_t>(index) >= static_cast<uint64_t>(limit) && counts;
  };
  constexpr int64_t kBlock = 256;  // without an exit in it, so that it runs on vectors
  const auto first_in = [=](int64_t begin, int64_t end) {
    for (; begin < end; begin += kBlock) {
      const int64_t until = std::min(end, begin + kBlock);
      int64_t found = 0;
      for (int64_t k = begin; k < until; ++k) found |= outside(indices[k]);
      if (found) return std::find_if(indices + begin, indices + until, outside) - indices;
    }
    return std::ptrdiff_t{-1};
  };
  constexpr int64_t kTask = 1 << 16;
  if (count <= kTask) return first_in(0, count);
  std::atomic<int64_t> first{count};
  parallel_for(count, kTask, [&](int64_t begin, int64_t end) {
    const int64_t found = first_in(begin, end);
    int64_t known = first;
    while (found >= 0 && found < known && !first.compare_exchange_weak(known, found)) continue;
  });
  return first == count ? -1 : first.load();
}

template <typename T>
double counted_weight(const CrossEntropy& problem, const int64_t* targets, const T* weight) {
  int64_t counted = 0;
  double total = 0;
  for (int64_t k = 0; k < problem.rows.count(); ++k) {
    counted += targets[k] != problem.ignore_index;
    if (weight != nullptr && targets[k] != problem.ignore_index) total += weight[targets[k]];
  }
  return weight == nullptr ? static_cast<double>(counted) : total;
}
template double counted_weight(const CrossEntropy&, const int64_t*, const float*);
template double counted_weight(const CrossEntropy&, const int64_t*, const double*);

template <typename T>
double sum_of(int64_t count, const T* values) {
  double sums[4] = {};
  for (int64_t k = 0; k < count; ++k) sums[k % 4] += values[k];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}
template double sum_of(int64_t, const float*);
template double sum_of(int64_t, const double*);

}  // namespace minidl::cpu
