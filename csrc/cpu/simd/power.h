// x to the power y: in float by the logarithm and the exponential of doubles, within 1 ulp; in
// double the C library's, a lane at a time. Special cases as in C99, F.9.4.4.
#pragma once

#include "cpu/simd/math.h"
#include "cpu/simd/wide.h"

namespace minidl::cpu::MINIDL_ISA {

// log(x) within 2^-39 and exp(x) within 2^-31 of themselves: as good as a float result needs.
MINIDL_INLINE Vec<double> rough_log(Vec<double> x) {
  const auto [f, e] = split(x);
  const Vec<double> s = f / (f + 2.0), z = s * s;
  const Vec<double> p =
      polynomial(z, 2.0 / 13, 2.0 / 11, 2.0 / 9, 2.0 / 7, 2.0 / 5, 2.0 / 3, 2.0) * s;
  return at_edges_of_log<Vec<double>>(x, p + e * 0.69314718055994530942);
}
MINIDL_INLINE Vec<double> rough_exp(Vec<double> x) {
  x = x > 710.0 ? splat(710.0) : x;
  x = x < -760.0 ? splat(-760.0) : x;
  const auto [n, r] = reduce_by_ln2(x);
  const Vec<double> p = polynomial(r, 1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24,
                                   1.0 / 6, 0.5, 1.0, 1.0);
  return scale_by_power<Vec<double>>(p, n);
}

// x and y hold floats.
MINIDL_INLINE Vec<double> power_of_floats(Vec<double> x, Vec<double> y) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Vec<double> size = absolute(x);
  Vec<double> result = rough_exp(y * rough_log(size));
  // Floats of 2^24 and more are even integers.
  const auto large = absolute(y) >= 16777216.0;
  const auto integer = large | ((y + kRound<double>)-kRound<double> == y);
  const Vec<double> half = y * 0.5;
  const auto odd = ~large & integer & ((half + kRound<double>)-kRound<double> != half);
  result = from_bits<Vec<double>>(bits_of(result) ^ (bits_of(x) & odd & INT64_MIN));
  const auto undefined = (x < 0.0) & (x > -kInfinity) & ~integer;
  result = undefined ? splat(std::numeric_limits<double>::quiet_NaN()) : result;
  const auto one = (y == 0.0) | (x == 1.0) | ((x == -1.0) & (absolute(y) == kInfinity));
  return one ? splat(1.0) : result;
}

template <typename V>
MINIDL_INLINE V pow(V x, V y) {
  if constexpr (kSingle<V>) {
    return in_double(
        [](Vec<double> a, Vec<double> b)
            __attribute__((always_inline)) { return power_of_floats(a, b); },
        x, y);
  } else {
    double bases[kLanes<double>], exponents[kLanes<double>];
    store(bases, x);
    store(exponents, y);
    for (int i = 0; i < kLanes<double>; ++i) bases[i] = __builtin_pow(bases[i], exponents[i]);
    return load(bases);
  }
}

}  // namespace minidl::cpu::MINIDL_ISA
