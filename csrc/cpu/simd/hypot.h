// The hypotenuse, within two ulp: floats in double, where no square of them overflows or vanishes.
#pragma once

#include "cpu/simd/math.h"
#include "cpu/simd/wide.h"

namespace minidl::cpu::MINIDL_ISA {

template <typename V>
MINIDL_INLINE V hypot(V x, V y) {
  if constexpr (kSingle<V>) {
    const auto root = [](Vec<double> x, Vec<double> y) __attribute__((always_inline)) {
      return square_root<Vec<double>>(x * x + y * y);
    };
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const V found = in_double(root, x, y);
    const auto infinite = (absolute(x) == kInfinity) | (absolute(y) == kInfinity);
    return infinite ? same<V>(kInfinity) : found;  // beside a NaN too
  } else {
    const V sum = x * x + y * y;
    V found = square_root(sum);
    const auto plain = (sum > 1e-280) & (sum < 1e300);
    if (__builtin_expect(any(~plain), 0)) {
      for (int64_t i = 0; i < kLanes<double>; ++i) {
        if (!plain[i]) found[i] = __builtin_hypot(x[i], y[i]);
      }
    }
    return found;
  }
}

}  // namespace minidl::cpu::MINIDL_ISA
