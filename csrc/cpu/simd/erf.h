// The error functions and the tails of the normal distribution. erfc is within 7 ulp, and in float
// erf within 2, with one exponential each; the others in double are the C library's, a lane at a
// time.
#pragma once

#include "cpu/simd/math.h"

namespace minidl::cpu::MINIDL_ISA {

// exp(x^2 / 2) P(X > x) of a standard normal X for x >= 0, within 5e-8: t times a polynomial of
// t = 1 / (1 + 0.27 x), a minimax fit on [0, 14.6]; P(X > x) is less than any number beyond.
template <typename V>
MINIDL_INLINE V scaled_normal_tail(V x) {
  static_assert(kSingle<V>);
  const V t = same<V>(1) / (x * 0.27f + 1.f);
  return polynomial(t, 0.0289689265f, -0.126525164f, 0.169870317f, -0.0693108439f, 0.107897751f,
                    0.0720174462f, 0.101819254f, 0.107541598f, 0.107720733f) *
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

// What rounding took from the square of x; `square` is less than infinity.
template <typename V>
MINIDL_INLINE V lost_by_squaring(V x, V square) {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<V, Vec<float>>) {
    const auto factor = reinterpret_cast<__m512>(x);
    return reinterpret_cast<V>(_mm512_fmsub_ps(factor, factor, reinterpret_cast<__m512>(square)));
  }
#endif
  constexpr Lane<Int<V>> kLowHalf = kSingle<V> ? 0xfff : 0x7ffffff;
  const V head = from_bits<V>(bits_of(x) & ~kLowHalf);  // its square is exact
  return (x - head) * (x + head) + (head * head - square);
}

// exp(-factor x^2) of x >= 0, 0 from `beyond` on; without what rounding takes from x^2 the error
// would grow as x^2.
template <typename V>
MINIDL_INLINE V exp_of_square(V x, Lane<V> factor, Lane<V> beyond) {
  x = x > beyond ? same<V>(beyond) : x;  // keeps NaN
  const V square = x * x;
  const auto [n, r] = reduce_by_ln2(square * -factor);
  const V e = scale_by_power<V>(exp_beyond_linear(r) * (r * r) + r + Lane<V>(1), n);
  return e - e * (lost_by_squaring(x, square) * factor);
}
template <typename V>
MINIDL_INLINE V exp_of_half_square(V x) {
  using T = Lane<V>;
  return exp_of_square(x, T(0.5), kSingle<V> ? T(14.8) : T(39));
}

// exp(x^2) erfc(x) for x >= 0: t = 1 / (1 + c x) times a polynomial of 2 t - 1, fitted in Chebyshev
// polynomials where erfc is a number, within 1e-9 (float) and 1e-17.
template <typename V>
MINIDL_INLINE V scaled_erfc(V x) {
  using T = Lane<V>;
  const V t = T(1) / (x * (kSingle<V> ? T(0.34375) : T(0.3125)) + T(1)), u = t * T(2) - T(1);
  if constexpr (kSingle<V>) {
    return t * polynomial(u, 9.04828907e-5f, -2.00075097e-5f, -9.40622919e-4f, -1.23069868e-3f,
                          6.10881525e-3f, 3.47861133e-2f, 9.82892295e-2f, 1.95278272e-1f,
                          2.99480796e-1f, 3.68157624e-1f);
  } else {
    return t * polynomial(u, 2.69144322572437539e-10, 1.20729525623329626e-10,
                          -4.3483998775359943e-9, 2.87725956727583301e-9, 2.91246964411373429e-8,
                          -3.59843411549925913e-8, -1.55522073030809802e-7, 2.67088257889024229e-7,
                          8.78412512885017977e-7, -1.67547572687704293e-6, -5.98373329976060029e-6,
                          8.8053133528941109e-6, 4.9162370844533364e-5, -1.47755459655718846e-5,
                          -4.23478400095337595e-4, -7.25992147185324757e-4, 2.14668532265261495e-3,
                          1.56818028246724058e-2, 5.04205377355815647e-2, 1.13305524133643681e-1,
                          1.98510757570740727e-1, 2.83591454369229254e-1, 3.37456193623768633e-1);
  }
}

// 1 - erf(x), accurate in the tail.
template <typename V>
MINIDL_INLINE V erfc(V x) {
  using T = Lane<V>;
  const V size = absolute(x);
  constexpr T kBeyond = kSingle<V> ? T(10.5) : T(27.5);
  const V tail = exp_of_square(size, T(1), kBeyond) * scaled_erfc(size);
  return x < T(0) ? T(2) - tail : tail;
}

// Distribution function P(X <= x) and density of a standard normal X: float within 7 ulp. In double
// the C library's erfc: relative errors of up to x^2 ulp, absolute ones of one.
template <typename V>
struct Normal {
  V below, density;
};
template <typename V>
MINIDL_INLINE Normal<V> normal(V x) {
  const V size = absolute(x), e = exp_of_half_square(size);
  if constexpr (kSingle<V>) {
    const V tail = e * scaled_normal_tail(size);
    return {x > 0.f ? 1.f - tail : tail, e * 0.398942280f};
  } else {
    const auto below = [](double lane) {
      return 0.5 * __builtin_erfc(-0.70710678118654752440 * lane);
    };
    return {lanewise<double>(x, below), e * 0.39894228040143267794};
  }
}

}  // namespace minidl::cpu::MINIDL_ISA
