// exp, expm1, log, log1p, the logistic function and tanh of vectors (Vec<float>, Vec<double>) and
// of scalars, in one body without branches. Within 2 ulp in float and 3 in double; infinities, NaN,
// signed zeros and subnormals as in the C library. Further functions: erf.h, trigonometry.h,
// power.h.
#pragma once

#include <cmath>
#include <limits>

#include "cpu/simd/vec.h"

namespace minidl::cpu::MINIDL_ISA {

// A constant in the type of x, scalar or vector.
template <typename V>
MINIDL_INLINE V same(Lane<V> constant) {
  return constant - V{};
}

template <typename V>
MINIDL_INLINE V absolute(V x) {
  using Bits = Lane<Int<V>>;
  return from_bits<V>(bits_of(x) & std::numeric_limits<Bits>::max());
}

// The size of x with the sign of y.
template <typename V>
MINIDL_INLINE V copy_sign(V x, V y) {
  const auto sign = std::numeric_limits<Lane<Int<V>>>::min();
  return from_bits<V>(bits_of(absolute(x)) | (bits_of(y) & sign));
}

template <typename V>
MINIDL_INLINE V square_root(V x) {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<V, Vec<float>>) {
    return reinterpret_cast<V>(_mm512_maskz_sqrt_ps(0xffff, reinterpret_cast<__m512>(x)));
  } else {
    return reinterpret_cast<V>(_mm512_maskz_sqrt_pd(0xff, reinterpret_cast<__m512d>(x)));
  }
#else
  return lanewise<Lane<V>>(x, [](Lane<V> lane) {
    return std::is_same_v<Lane<V>, float> ? Lane<V>(__builtin_sqrtf(lane))
                                          : Lane<V>(__builtin_sqrt(lane));
  });
#endif
}

template <typename V>
inline constexpr bool kSingle = std::is_same_v<Lane<V>, float>;

// Coefficients from the highest power down.
template <typename V, typename... C>
MINIDL_INLINE V polynomial(V x, Lane<V> first, C... rest) {
  V p = same<V>(first);
  ((p = p * x + static_cast<Lane<V>>(rest)), ...);
  return p;
}

// Adding kRound rounds to an integer, which is then in the lowest bits of the sum.
template <typename V>
inline constexpr Lane<V> kRound = kSingle<V> ? Lane<V>(12582912) : Lane<V>(6755399441055744);
template <typename V>
inline constexpr int kMantissaBits = kSingle<V> ? 23 : 52;

// p 2^n for integers n that take the result from the largest number to beyond the smallest: by two
// powers where one does not reach.
template <typename V>
MINIDL_INLINE V scale_by_power(V p, V n) {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<V, Vec<float>>) {
    return reinterpret_cast<V>(
        _mm512_maskz_scalef_ps(0xffff, reinterpret_cast<__m512>(p), reinterpret_cast<__m512>(n)));
  } else if constexpr (std::is_same_v<V, Vec<double>>) {
    return reinterpret_cast<V>(
        _mm512_maskz_scalef_pd(0xff, reinterpret_cast<__m512d>(p), reinterpret_cast<__m512d>(n)));
  }
#endif
  constexpr Lane<Int<V>> kBias = kSingle<V> ? 127 : 1023;
  const V half = n * Lane<V>(0.5) + kRound<V>;
  const V rest = n - (half - kRound<V>)+kRound<V>;
  const V first = from_bits<V>(bits_plus(half, kBias) << kMantissaBits<V>);
  const V second = from_bits<V>(bits_plus(rest, kBias) << kMantissaBits<V>);
  return p * first * second;
}

// x = n ln2 + r with an integer n and |r| <= ln2 / 2.
template <typename V>
struct Reduced {
  V n, r;
};
template <typename V>
MINIDL_INLINE Reduced<V> reduce_by_ln2(V x) {
  using T = Lane<V>;
  constexpr T kHigh = kSingle<V> ? T(0.693145752f) : T(6.93147180369123816490e-01);
  constexpr T kLow = kSingle<V> ? T(1.42860682e-6f) : T(1.90821492927058770002e-10);
  const V n = (x * T(1.4426950408889634) + kRound<V>)-kRound<V>;
  return {n, (x - n * kHigh) - n * kLow};
}

// (exp(r) - 1 - r) / r^2 for |r| <= ln2 / 2: the Taylor polynomial.
template <typename V>
MINIDL_INLINE V exp_beyond_linear(V r) {
  if constexpr (kSingle<V>) {
    return polynomial(r, 1.f / 5040, 1.f / 720, 1.f / 120, 1.f / 24, 1.f / 6, 0.5f);
  } else {
    return polynomial(r, 1.0 / 6227020800.0, 1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0,
                      1.0 / 362880.0, 1.0 / 40320.0, 1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0,
                      1.0 / 24.0, 1.0 / 6.0, 0.5);
  }
}

// Range reduction x = n ln2 + r, the Taylor polynomial of exp(r), and a multiplication by 2^n
// (J.-M. Muller, "Elementary Functions", 3rd edition, section 6.2). What is surely 0 is not
// computed: processors take a hundred cycles to round a number away, and masks put -infinity into
// half the scores of a causal attention.
template <typename V>
MINIDL_INLINE V exp(V x) {
  using T = Lane<V>;
  constexpr T kHigh = kSingle<V> ? T(89) : T(710), kLow = kSingle<V> ? T(-104) : T(-746);
  const auto vanishes = x < kLow;
  x = x > kHigh ? same<V>(kHigh) : x;  // keeps NaN: the comparison is false
  x = vanishes ? same<V>(T(0)) : x;
  const auto [n, r] = reduce_by_ln2(x);
  const V found = scale_by_power<V>(exp_beyond_linear(r) * (r * r) + r + T(1), n);
  return vanishes ? same<V>(T(0)) : found;
}

// exp(x) - 1 = 2^n (exp(r) - 1) + (2^n - 1), with 2^(n - 1) in the place of 2^n: that of the
// largest x is no number.
template <typename V>
MINIDL_INLINE V expm1(V x) {
  using T = Lane<V>;
  constexpr T kHigh = kSingle<V> ? T(89) : T(710), kLow = kSingle<V> ? T(-40) : T(-60);
  V limited = x > kHigh ? same<V>(kHigh) : x;
  limited = limited < kLow ? same<V>(kLow) : limited;
  const auto [n, r] = reduce_by_ln2(limited);
  const V part = exp_beyond_linear(r) * (r * r) + r;
  constexpr Lane<Int<V>> kBias = kSingle<V> ? 126 : 1022;
  const V half = from_bits<V>(bits_plus(n + kRound<V>, kBias) << kMantissaBits<V>);
  const V result = (half * part + (half - T(0.5))) * T(2);
  return n == T(0) ? copy_sign(part, x) : result;
}

// x = (1 + f) 2^e with 1 + f in [sqrt(1/2), sqrt(2)), for positive finite x.
template <typename V>
struct Split {
  V f, e;
};
template <typename V>
MINIDL_INLINE Split<V> split(V x) {
  using T = Lane<V>;
  using Bits = Lane<Int<V>>;
  constexpr int kBits = kMantissaBits<V>;
  constexpr Bits kRootHalf = kSingle<V> ? Bits(0x3f3504f3) : Bits(0x3fe6a09e667f3bcd);
  constexpr Bits kRoundBits = kSingle<V> ? Bits(0x4b400000) : Bits(0x4338000000000000);
  const auto subnormal = x < std::numeric_limits<T>::min();
  const V scaled = subnormal ? x * T(int64_t{1} << kBits) : x;
  const auto shifted = bits_plus(scaled, -kRootHalf);  // the carry decides the exponent
  const V e = from_bits<V>((shifted >> kBits) + kRoundBits) - kRound<V>;
  const V m = from_bits<V>((shifted & ((Bits(1) << kBits) - 1)) + kRootHalf);
  return {m - T(1), subnormal ? e - T(kBits) : e};
}

// log(1 + f) + e ln2 + correction for f of split() and a correction that is small beside the rest:
// a minimax polynomial (S. L. Moshier, Cephes Mathematical Library, logf), or a series of s = f /
// (2 + f) in double (W. Kahan, K. C. Ng, fdlibm, e_log.c).
template <typename V>
MINIDL_INLINE V log_of_parts(V f, V e, V correction) {
  if constexpr (kSingle<V>) {
    const V z = f * f;
    const V p = polynomial(f, 7.0376836292e-2f, -1.1514610310e-1f, 1.1676998740e-1f,
                           -1.2420140846e-1f, 1.4249322787e-1f, -1.6668057665e-1f, 2.0000714765e-1f,
                           -2.4999993993e-1f, 3.3333331174e-1f);
    const V y = p * f * z - e * 2.12194440e-4f - z * 0.5f + correction;
    return f + y + e * 0.693359375f;
  } else {
    const V s = f / (f + 2.0), z = s * s, half = f * f * 0.5;
    const V p =
        polynomial(z, 1.479819860511658591e-01, 1.531383769920937332e-01, 1.818357216161805012e-01,
                   2.222219843214978396e-01, 2.857142874366239149e-01, 3.999999999940941908e-01,
                   6.666666666666735130e-01) *
        z;
    const V low = s * (half + p) + (e * 1.90821492927058770002e-10 + correction);
    return e * 6.93147180369123816490e-01 - ((half - low) - f);
  }
}

// What a logarithm is where its argument is not positive and finite.
template <typename V>
MINIDL_INLINE V at_edges_of_log(V x, V result) {
  using Limits = std::numeric_limits<Lane<V>>;
  result = x < Limits::infinity() ? result : x;  // infinity, NaN
  result = x < Lane<V>(0) ? same<V>(Limits::quiet_NaN()) : result;
  return x == Lane<V>(0) ? same<V>(-Limits::infinity()) : result;
}

template <typename V>
MINIDL_INLINE V log(V x) {
  const auto [f, e] = split(x);
  return at_edges_of_log<V>(x, log_of_parts(f, e, V{}));
}

// log(1 + x) = log(u) + (x - (u - 1)) / u: u is 1 + x rounded, x - (u - 1) what the rounding took.
template <typename V>
MINIDL_INLINE V log1p(V x) {
  const V u = x + Lane<V>(1);
  const auto [f, e] = split(u);
  const V result = at_edges_of_log<V>(u, log_of_parts<V>(f, e, (x - (u - Lane<V>(1))) / u));
  return u == Lane<V>(1) ? x : result;
}

// log(1 + x) for 0 <= x <= 1 or NaN: as above, without a division, of which u in [1, 2] would make
// a quarter of an ulp, and without edges.
template <typename V>
MINIDL_INLINE V log1p_in_unit(V x) {
  using T = Lane<V>;
  const V u = x + T(1);
  const auto upper = u > T(1.41421356);
  const V f = upper ? u * T(0.5) - T(1) : u - T(1);
  const V result = log_of_parts<V>(f, upper ? same<V>(1) : V{}, x - (u - T(1)));
  return u == T(1) ? x : result;
}

// 1 / (1 + exp(-x)), by exp(-|x|) so that nothing overflows.
template <typename V>
MINIDL_INLINE V sigmoid(V x) {
  const V e = exp(-absolute(x));
  return (x < Lane<V>(0) ? e : same<V>(1)) / (e + Lane<V>(1));
}

// Float: a minimax approximation of tanh(x) / x - 1 over z = x^2 for |x| < 0.625 (S. L. Moshier,
// Cephes Mathematical Library, tanhf), (1 - e^-2|x|) / (1 + e^-2|x|) beyond. Double: the same by
// expm1, which needs no second form near zero.
template <typename V>
MINIDL_INLINE V tanh(V x) {
  using T = Lane<V>;
  const V size = absolute(x);
  if constexpr (kSingle<V>) {
    const V z = x * x;
    const V ratio = polynomial(z, -5.70498872745e-3f, 2.06390887954e-2f, -5.37397155531e-2f,
                               1.33314422036e-1f, -3.33332819422e-1f);
    const V near = size + size * (z * ratio);
    const V e = exp(size * -2.f);
    const V far = (1.f - e) / (e + 1.f);
    return copy_sign<V>(size < 0.625f ? near : far, x);
  } else {
    const V e = expm1(size * T(-2));
    return copy_sign<V>(e / (e + T(2)), x);
  }
}

}  // namespace minidl::cpu::MINIDL_ISA
