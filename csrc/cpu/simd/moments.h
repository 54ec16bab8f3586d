// Mean and variance of contiguous runs in few passes and without cancellation.
#pragma once

#include "cpu/simd/sweep.h"

namespace minidl::cpu::MINIDL_ISA {

// `count` runs of `size` contiguous elements, their beginnings `stride` apart.
template <typename T>
struct Runs {
  const T* first;
  int64_t count, size, stride;
};

// Sums stay in T for this many elements, then go into a double: float sums lose nothing with
// length.
inline constexpr int64_t kSumBlock = 4096;

MINIDL_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
MINIDL_INLINE int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

// Calls body(offset, size) for blocks of at most kSumBlock elements of all runs, and flush() after
// every kSumBlock elements or a few more, and at the end.
template <typename T, typename Body, typename Flush>
MINIDL_INLINE void for_blocks(int64_t count, int64_t size, int64_t stride, const Body& body,
                              const Flush& flush) {
  int64_t pending = 0;
  for (int64_t run = 0; run < count; ++run) {
    for (int64_t begin = 0; begin < size; begin += kSumBlock) {
      const int64_t block = smaller(kSumBlock, size - begin);
      body(run * stride + begin, block);
      pending += block;
      if (pending >= kSumBlock) {
        flush();
        pending = 0;
      }
    }
  }
  flush();
}

struct Moments {
  double mean, variance;  // biased
};

// Sums of d and d^2 with d = x - shift.
template <typename T>
Moments moments_about(const Runs<T>& x, T shift) {
  double sum = 0, squares = 0;
  Chains<T> s, q;
  for_blocks<T>(
      x.count, x.size, x.stride,
      [&](int64_t offset, int64_t size) {
        const T* from = x.first + offset;
        sweep<T>(size, [&](int64_t i, auto lanes, auto chain) {
          const Vec<T> d = load(from + i, lanes, shift) - shift;
          s[chain] += d;
          q[chain] += d * d;
        });
      },
      [&] {
        sum += s.sum();
        squares += q.sum();
        s = q = {};
      });
  const double n = static_cast<double>(x.count * x.size);
  const double offset = sum / n, variance = squares / n - offset * offset;
  return {shift + offset, variance < 0 ? 0 : variance};  // keeps NaN
}

// The shift is the mean of the first block, so that its distance to the mean takes few digits from
// the variance; where it is far off all the same, the mean found with it serves in another pass.
template <typename T>
Moments moments(const Runs<T>& x) {
  const int64_t block = smaller(kSumBlock, x.size);
  Chains<T> s;
  sweep<T>(block, [&](int64_t i, auto lanes, auto chain) { s[chain] += load(x.first + i, lanes); });
  const T shift = s.sum() / static_cast<T>(block);
  const Moments found = moments_about(x, shift);
  const double off = found.mean - shift;
  return off * off > 4 * found.variance ? moments_about(x, static_cast<T>(found.mean)) : found;
}

}  // namespace minidl::cpu::MINIDL_ISA
