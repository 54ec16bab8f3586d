// Transposes in registers.
#pragma once

#include "cpu/simd/vec.h"

namespace minidl::cpu::MINIDL_ISA {

// For step s and half h, the lanes of a step of the transpose below: lane j of half 0 is a[j] where
// j & s is 0, else b[j - s]; of half 1 a[j + s], else b[j].
template <typename T, int64_t kStep, bool kHigh>
MINIDL_INLINE Int<Vec<T>> exchange_lanes() {
  Int<Vec<T>> lanes{};
  for (int64_t j = 0; j < kLanes<T>; ++j) {
    const bool second = (j & kStep) != 0;
    const int64_t lane = kHigh ? (second ? j : j + kStep) : (second ? j - kStep : j);
    lanes[j] = static_cast<Lane<Int<Vec<T>>>>(second ? kLanes<T> + lane : lane);
  }
  return lanes;
}

// v[i][j] becomes v[j][i]: blocks of kStep x kStep off the diagonal change places, then halves.
template <typename T, int64_t kStep = kLanes<T> / 2>
MINIDL_INLINE void transpose_square(Vec<T> (&v)[kLanes<T>]) {
  const Int<Vec<T>> low = exchange_lanes<T, kStep, false>();
  const Int<Vec<T>> high = exchange_lanes<T, kStep, true>();
#pragma GCC unroll 16
  for (int64_t i = 0; i < kLanes<T>; ++i) {
    if ((i & kStep) != 0) continue;
    const Vec<T> a = v[i], b = v[i + kStep];
    v[i] = __builtin_shuffle(a, b, low);
    v[i + kStep] = __builtin_shuffle(a, b, high);
  }
  if constexpr (kStep > 1) transpose_square<T, kStep / 2>(v);
}

}  // namespace minidl::cpu::MINIDL_ISA
