// log |Gamma| and its derivative. lgamma: within 5 ulp for x > 0; below, where it crosses zero
// between poles, and digamma near its zeros, to a few ulp of 1.
#pragma once

#include "cpu/simd/trigonometry.h"

namespace minidl::cpu::MINIDL_ISA {

// The sine and cosine of pi x, up to a sign that they share, for x >= 0.
template <typename V>
struct HalfTurn {
  V sine, cosine;
};
template <typename V>
MINIDL_INLINE HalfTurn<V> half_turn(V x) {
  using T = Lane<V>;
  constexpr T kWhole = T(int64_t{1} << kMantissaBits<V>);  // numbers from here on are integers
  const V f = x < kWhole ? x - ((x + kWhole) - kWhole) : V{};
  const V quarters = (f * T(2) + kRound<V>)-kRound<V>;
  const V r = (f - quarters * T(0.5)) * T(3.14159265358979323846);
  return {sine_in_quadrant<V>(r, bits_of(quarters + kRound<V>)),
          sine_in_quadrant<V>(r, bits_plus(quarters + kRound<V>, 1))};
}

// log Gamma(2 + z) / z for |z| <= 1/2, fitted in Chebyshev polynomials within 1e-9 (float), 1e-17.
template <typename V>
MINIDL_INLINE V lgamma_slope_at_two(V z) {
  if constexpr (kSingle<V>) {
    return polynomial(z, -2.50562021e-4f, 5.70251250e-4f, -1.18748481e-3f, 2.87886868e-3f,
                      -7.38592088e-3f, 2.05816254e-2f, -6.73522941e-2f, 3.22467018e-1f,
                      4.22784335e-1f);
  } else {
    return polynomial(z, 6.37904750761977372e-8, -1.34128197585172855e-7, 2.03048067516152279e-7,
                      -4.30355876035996121e-7, 9.57866333411475771e-7, -2.0449201467015115e-6,
                      4.37437491691513072e-6, -9.43845871624281117e-6, 2.05072674160577876e-5,
                      -4.49263511038333311e-5, 9.94575090988939157e-5, -2.23154750745203673e-4,
                      5.09669524885309606e-4, -1.19275391200102263e-3, 2.89051033073873699e-3,
                      -7.38555102866815368e-3, 2.0580808427784569e-2, -6.73523010531981394e-2,
                      3.22467033424113218e-1, 4.22784335098467139e-1);
  }
}

// log Gamma(x) for x >= 0. Below 8 the recurrence Gamma(x + 1) = x Gamma(x) leads to [1.5, 2.5],
// beyond it is Stirling's series (Abramowitz and Stegun, 6.1.41).
template <typename V>
MINIDL_INLINE V lgamma_positive(V x) {
  using T = Lane<V>;
  const auto first = x < T(1.5), second = x < T(0.5), series = x >= T(8);
  V factor = first ? (second ? x * (x + T(1)) : x) : same<V>(1);
  V z = first ? (second ? x : x - T(1)) : x - T(2);
  for (int step = 0; step < 6; ++step) {
    const auto high = z > T(0.5);
    factor = high ? factor * (z + T(1)) : factor;
    z = high ? z - T(1) : z;
  }
  const V logarithm = log<V>(series ? x : factor);
  const V near = z * lgamma_slope_at_two(z) + (first ? -logarithm : logarithm);
  const V inverse = T(1) / x, w = inverse * inverse;
  V rest;
  if constexpr (kSingle<V>) {
    rest = polynomial(w, 1.f / 1260, -1.f / 360, 1.f / 12);
  } else {
    rest = polynomial(w, -3617.0 / 122400, 1.0 / 156, -691.0 / 360360, 1.0 / 1188, -1.0 / 1680,
                      1.0 / 1260, -1.0 / 360, 1.0 / 12);
  }
  const V far = (x - T(0.5)) * (logarithm - T(1)) + (rest * inverse + T(0.41893853320467274178));
  return series ? far : near;
}

// Below zero Gamma(-x) Gamma(x) = -pi / (x sin(pi x)).
template <typename V>
MINIDL_INLINE V lgamma(V x) {
  using T = Lane<V>;
  const V size = absolute(x);
  V result = lgamma_positive(size);
  const auto reflected = x < (kSingle<V> ? T(-1e-10) : T(-1e-20));  // nearer to 0 it is -log |x|
  if (any(reflected)) {
    const V sine = absolute(half_turn(size).sine);
    const V below = log<V>(T(3.14159265358979323846) / (size * sine)) - result;
    result =
        reflected ? (sine == T(0) ? same<V>(std::numeric_limits<T>::infinity()) : below) : result;
  }
  return result;
}

// The derivative of log Gamma. Up to 10 (float: 6) the sum of 1 / (x + k), as one fraction, leads
// to the asymptotic series (Abramowitz and Stegun, 6.3.18); below zero it is digamma(1 - x) - pi
// cot(pi x). Infinite at zero by its sign, NaN at the poles below.
template <typename V>
MINIDL_INLINE V digamma(V x) {
  using T = Lane<V>;
  constexpr int kSteps = kSingle<V> ? 6 : 10;
  const auto below = x < T(0);
  V y = below ? T(1) - x : x, sum = V{}, product = same<V>(1);
  for (int step = 0; step < kSteps; ++step) {
    const auto low = y < T(kSteps);
    sum = low ? sum * y + product : sum;
    product = low ? product * y : product;
    y = low ? y + T(1) : y;
  }
  const V inverse = T(1) / y, w = inverse * inverse;
  V series;
  if constexpr (kSingle<V>) {
    series = polynomial(w, -1.f / 240, 1.f / 252, -1.f / 120, 1.f / 12);
  } else {
    series = polynomial(w, -3617.0 / 8160, 1.0 / 12, -691.0 / 32760, 1.0 / 132, -1.0 / 240,
                        1.0 / 252, -1.0 / 120, 1.0 / 12);
  }
  V result = log<V>(y) - inverse * T(0.5) - w * series - sum / product;
  if (any(below)) {
    const auto [sine, cosine] = half_turn(absolute(x));
    const V cotangent = T(3.14159265358979323846) * cosine / sine;  // of |x|
    result = below ? result + cotangent : result;
    result = below & (sine == T(0)) ? same<V>(std::numeric_limits<T>::quiet_NaN()) : result;
  }
  return x == T(0) ? copy_sign<V>(same<V>(std::numeric_limits<T>::infinity()), -x) : result;
}

}  // namespace minidl::cpu::MINIDL_ISA
