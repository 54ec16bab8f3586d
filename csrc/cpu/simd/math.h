// exp, log, tanh and the logistic function of vectors (Vec<float>, Vec<double>) and of scalars, in
// one body without branches. Within 2 ulp in float and 3 in double; infinities, NaN, signed zeros
// and subnormals as in the C library.
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
inline constexpr bool kSingle = std::is_same_v<Lane<V>, float>;

// Coefficients from the highest power down.
template <typename V, typename... C>
MINIDL_INLINE V polynomial(V x, Lane<V> first, C... rest) {
  V p = same<V>(first);
  ((p = p * x + static_cast<Lane<V>>(rest)), ...);
  return p;
}

// exp: range reduction x = n ln2 + r with |r| <= ln2 / 2, the Taylor polynomial of exp(r), and a
// multiplication by 2^n (J.-M. Muller, "Elementary Functions", 3rd edition, section 6.2). Adding
// kRound = 1.5 * 2^(mantissa bits) rounds to an integer and leaves it in the lowest bits, so that a
// shift makes the exponent field of 2^n; 2^n is a product of two powers, since the smallest results
// are less than the smallest normal number.
template <typename V>
MINIDL_INLINE V exp(V x) {
  constexpr bool single = kSingle<V>;
  using T = Lane<V>;
  constexpr T kRound = single ? T(12582912) : T(6755399441055744);
  constexpr T kHigh = single ? T(89) : T(710), kLow = single ? T(-110) : T(-760);
  constexpr int kMantissa = single ? 23 : 52;
  constexpr Lane<Int<V>> kBias = single ? 127 : 1023;
  x = x > kHigh ? same<V>(kHigh) : x;  // keeps NaN: the comparison is false
  x = x < kLow ? same<V>(kLow) : x;
  const V n = (x * T(1.4426950408889634) + kRound) - kRound;
  V r, p;
  if constexpr (single) {
    r = (x - n * 0.693145752f) - n * 1.42860682e-6f;
    p = polynomial(r, 1.f / 5040, 1.f / 720, 1.f / 120, 1.f / 24, 1.f / 6, 0.5f);
  } else {
    r = (x - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
    p = polynomial(r, 1.0 / 6227020800.0, 1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0,
                   1.0 / 362880.0, 1.0 / 40320.0, 1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0,
                   1.0 / 24.0, 1.0 / 6.0, 0.5);
  }
  p = p * (r * r) + r + T(1);
  const V half = n * T(0.5) + kRound;
  const V rest = n - (half - kRound) + kRound;
  const V first = from_bits<V>((bits_of(half) + kBias) << kMantissa);
  const V second = from_bits<V>((bits_of(rest) + kBias) << kMantissa);
  return p * first * second;
}

// 1 / (1 + exp(-x)), by exp(-|x|) so that nothing overflows.
template <typename V>
MINIDL_INLINE V sigmoid(V x) {
  const V e = exp(-absolute(x));
  return (x < Lane<V>(0) ? e : same<V>(1)) / (e + Lane<V>(1));
}

// Minimax approximation of tanh(x) / x - 1 over z = x^2 for |x| < 0.625 (S. L. Moshier, Cephes
// Mathematical Library, tanhf and tanh); beyond, (1 - e^-2|x|) / (1 + e^-2|x|).
template <typename V>
MINIDL_INLINE V tanh(V x) {
  using T = Lane<V>;
  const V size = absolute(x), z = x * x;
  V ratio;
  if constexpr (kSingle<V>) {
    ratio = polynomial(z, -5.70498872745e-3f, 2.06390887954e-2f, -5.37397155531e-2f,
                       1.33314422036e-1f, -3.33332819422e-1f);
  } else {
    ratio = polynomial(z, -9.64399179425052238628e-1, -9.92877231001918586564e1,
                       -1.61468768441708447952e3) /
            polynomial(z, 1.0, 1.12811678492631932402e2, 2.23548839060100448583e3,
                       4.84406305325125486048e3);
  }
  const V near = size + size * (z * ratio);
  const V e = exp(size * T(-2));
  const V far = (T(1) - e) / (e + T(1));
  return copy_sign<V>(size < T(0.625) ? near : far, x);
}

}  // namespace minidl::cpu::MINIDL_ISA
