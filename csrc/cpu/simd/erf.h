// The error function and the tails of the normal distribution. Float: within 2 ulp, one exponential
// each. Double: the C library's, a lane at a time.
#pragma once

#include "cpu/simd/math.h"

namespace minidl::cpu::MINIDL_ISA {

// exp(x^2 / 2) P(X > x) of a standard normal X for x >= 1.4, within 2e-8: t times a polynomial of
// t = 1 / (1 + 0.32 x), a minimax fit on [1.4, 14.6]; P(X > x) is less than any number beyond.
template <typename V>
MINIDL_INLINE V scaled_normal_tail(V x) {
  static_assert(kSingle<V>);
  const V t = same<V>(1) / (x * 0.32f + 1.f);
  return polynomial(t, 0.0382903032f, -0.136845306f, 0.127978086f, -0.00148982089f, 0.104778737f,
                    0.111664176f, 0.12795037f, 0.127649456f) *
         t;
}

// x + x p(x^2), a minimax fit within 2e-9, for |x| < 1; 1 - 2 P(X > sqrt(2) |x|) with x's sign
// beyond.
template <typename V>
MINIDL_INLINE V erf(V x) {
  if constexpr (kSingle<V>) {
    const V size = absolute(x), limited = size > 4.f ? same<V>(4) : size, z = limited * limited;
    const V near =
        x + x * polynomial(z, 7.85385782e-5f, -8.01019254e-4f, 5.18832775e-3f, -2.6853811e-2f,
                           1.12835854e-1f, -3.7612626e-1f, 1.28379107e-1f);
    const V far = 1.f - exp(-z) * scaled_normal_tail(limited * 1.41421356f) * 2.f;
    return size < 1.f ? near : copy_sign<V>(far, x);
  } else {
    return lanewise<double>(x, [](double lane) { return __builtin_erf(lane); });
  }
}

// exp(-x^2 / 2), with what rounding takes from x^2: without it the error would grow as x^2.
template <typename V>
MINIDL_INLINE V exp_of_half_square(V x) {
  using T = Lane<V>;
  constexpr Lane<Int<V>> kLowHalf = kSingle<V> ? 0xfff : 0x7ffffff;
  const V square = x * x;
  const V head = from_bits<V>(bits_of(x) & ~kLowHalf);  // its square is exact
  const V lost = (x - head) * (x + head) + (head * head - square);
  const V e = exp(square * T(-0.5));
  return square < T(2000) ? e - e * (lost * T(0.5)) : e;
}

// Distribution function P(X <= x), near zero by the polynomial of erf(), and density of a standard
// normal X. In double the C library's erfc: relative errors of up to x^2 ulp, absolute ones of one.
template <typename V>
struct Normal {
  V below, density;
};
template <typename V>
MINIDL_INLINE Normal<V> normal(V x) {
  const V e = exp_of_half_square(x);
  if constexpr (kSingle<V>) {
    const V size = absolute(x), z = x * x;
    const V near = x * polynomial(z, 4.33868451e-7f, -8.85009558e-6f, 1.14646929e-4f,
                                  -1.18678203e-3f, 9.97337513e-3f, -6.64903596e-2f, 0.398942292f) +
                   0.5f;
    const V tail = e * scaled_normal_tail(size);
    return {size < 1.4f ? near : (x > 0.f ? 1.f - tail : tail), e * 0.398942280f};
  } else {
    const auto below = [](double lane) {
      return 0.5 * __builtin_erfc(-0.70710678118654752440 * lane);
    };
    return {lanewise<double>(x, below), e * 0.39894228040143267794};
  }
}

}  // namespace minidl::cpu::MINIDL_ISA
