// Sums on the CPU, float and double.
//
// An array without gaps and any set of summed axes, as far as they fall into the pattern
//   x[R0, K0, R1, K1] -> out[K0, K1],  out[k0, k1] = sum over r0, r1 of x[r0, k0, r1, k1]
// (an extent may be 1): sums over leading, trailing, middle axes, and over all axes but one.
// Floats are summed in double; rows of doubles pairwise. The order of additions depends on the
// extents only, so the bits do not change with the number of threads.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "cpu/thread_pool.h"

namespace minidl::cpu {

struct SumShape {
  int64_t r0 = 1, k0 = 1, r1 = 1, k1 = 1;
};

inline constexpr int64_t kSumColumns = 64;    // columns that are summed side by side
inline constexpr int64_t kSumGrain = 65536;   // elements that a thread takes at a time
inline constexpr int64_t kSumPairwise = 512;  // longer rows are split in two halves

// The sum of x[0 .. n).
template <class T>
double sum_row(const T* x, int64_t n) {
  if (n > kSumPairwise) {
    const int64_t half = n / 16 * 8;
    return sum_row(x, half) + sum_row(x + half, n - half);
  }
  double total = 0;
  int64_t i = 0;
  if (n >= 8) {
    std::array<double, 8> lanes{};
    for (; i + 8 <= n; i += 8) {
      for (int lane = 0; lane < 8; ++lane) lanes[lane] += static_cast<double>(x[i + lane]);
    }
    total = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
            ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
  }
  for (; i < n; ++i) total += static_cast<double>(x[i]);
  return total;
}

// out[0 .. width) = sums of that many neighbouring columns of the block at x.
template <class T>
void sum_columns(const SumShape& s, const T* x, int64_t width, T* out) {
  std::array<double, kSumColumns> totals{};
  for (int64_t r0 = 0; r0 < s.r0; ++r0) {
    const T* row = x + r0 * s.k0 * s.r1 * s.k1;
    for (int64_t r1 = 0; r1 < s.r1; ++r1, row += s.k1) {
      for (int64_t j = 0; j < width; ++j) totals[j] += static_cast<double>(row[j]);
    }
  }
  for (int64_t j = 0; j < width; ++j) out[j] = static_cast<T>(totals[j]);
}

// One number from a long array: a partial sum for each piece of fixed size.
template <class T>
T sum_all(const T* x, int64_t n) {
  if (n <= kSumGrain) return static_cast<T>(sum_row(x, n));
  std::vector<double> partial((n - 1) / kSumGrain + 1);
  parallel_for(n, kSumGrain, [&](int64_t begin, int64_t end) {
    partial[begin / kSumGrain] = sum_row(x + begin, end - begin);
  });
  return static_cast<T>(sum_row(partial.data(), static_cast<int64_t>(partial.size())));
}

template <class T>
void sum(const SumShape& s, const T* x, T* out) {
  if (s.k0 * s.k1 == 1) {
    *out = sum_all(x, s.r0 * s.r1);
    return;
  }
  const int64_t blocks = (s.k1 + kSumColumns - 1) / kSumColumns;  // of columns
  const auto body = [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t k0 = unit / blocks, column = unit % blocks * kSumColumns;
      const T* start = x + k0 * s.r1 * s.k1;
      if (s.k1 == 1) {
        double total = 0;
        for (int64_t r0 = 0; r0 < s.r0; ++r0) total += sum_row(start + r0 * s.k0 * s.r1, s.r1);
        out[k0] = static_cast<T>(total);
      } else {
        const int64_t width = std::min(kSumColumns, s.k1 - column);
        sum_columns(s, start + column, width, out + k0 * s.k1 + column);
      }
    }
  };
  const int64_t work = std::max<int64_t>(1, s.r0 * s.r1 * std::min(s.k1, kSumColumns));
  const int64_t grain = std::max<int64_t>(1, kSumGrain / work);
  const int64_t units = s.k0 * blocks;
  units <= grain ? body(0, units) : parallel_for(units, grain, body);
}

}  // namespace minidl::cpu
