// Sine and cosine within 2 ulp, whatever the argument: large ones go through the C library.
#pragma once

#include "cpu/simd/math.h"
#include "cpu/simd/wide.h"

namespace minidl::cpu::MINIDL_ISA {

// x = n pi/2 + r with |r| <= pi/4, for |x| <= kLargestReduced.
template <typename T>
inline constexpr T kLargestReduced = kSingle<T> ? T(1e5) : T(1e6);

// pi/2 in parts (fdlibm, e_rem_pio2.c): the products of the first two, of 33 bits, with n are
// exact.
MINIDL_INLINE Reduced<Vec<float>> reduce_by_half_pi(Vec<float> x) {
  const Vec<float> n = (x * 0.636619772f + kRound<float>)-kRound<float>;
  const auto rest = [](Vec<double> x, Vec<double> n) __attribute__((always_inline)) {
    return (x - n * 1.57079632673412561417) - n * 6.07710050650619224932e-11;
  };
  return {n, in_double(rest, x, n)};
}
MINIDL_INLINE Reduced<Vec<double>> reduce_by_half_pi(Vec<double> x) {
  const Vec<double> n = (x * 0.63661977236758134308 + kRound<double>)-kRound<double>;
  const Vec<double> first = x - n * 1.57079632673412561417;
  const Vec<double> product = n * 6.07710050630396597660e-11;
  const Vec<double> second = first - product;
  const Vec<double> lost = (first - second) - product;
  return {n, second + (lost - n * 2.02226624879595063154e-21)};
}

// sin(r + quadrant pi/2) for |r| <= pi/4, by minimax polynomials of sin(r) and cos(r) (Cephes,
// sinf; fdlibm, k_sin.c and k_cos.c).
template <typename V>
MINIDL_INLINE V sine_in_quadrant(V r, Int<V> quadrant) {
  const V z = r * r;
  V sine, cosine;
  if constexpr (kSingle<V>) {
    sine = polynomial(z, -1.9515295891e-4f, 8.3321608736e-3f, -1.6666654611e-1f);
    cosine = polynomial(z, 2.443315711809948e-5f, -1.388731625493765e-3f, 4.166664568298827e-2f);
  } else {
    sine = polynomial(z, 1.58969099521155010221e-10, -2.50507602534068634195e-08,
                      2.75573137070700676789e-06, -1.98412698298579493134e-04,
                      8.33333333332248946124e-03, -1.66666666666666324348e-01);
    cosine = polynomial(z, -1.13596475577881948265e-11, 2.08757232129817482790e-09,
                        -2.75573143513906633035e-07, 2.48015872894767294178e-05,
                        -1.38888888888741095749e-03, 4.16666666666666019037e-02);
  }
  sine = sine * (r * z) + r;
  const V half = z * Lane<V>(0.5), near_one = Lane<V>(1) - half;
  cosine = near_one + (((Lane<V>(1) - near_one) - half) + cosine * (z * z));
  const V value = (quadrant & 1) != 0 ? cosine : sine;
  constexpr int kToSign = kSingle<V> ? 30 : 62;
  return from_bits<V>(bits_of(value) ^ ((quadrant & 2) << kToSign));
}

template <typename V>
MINIDL_INLINE auto beyond_reduction(V x) {
  return absolute(x) > kLargestReduced<Lane<V>>;
}

template <typename V>
MINIDL_INLINE V sin(V x) {
  using T = Lane<V>;
  const auto [n, r] = reduce_by_half_pi(x);
  V result = sine_in_quadrant<V>(r, bits_of(n + kRound<V>));
  result = x == T(0) ? x : result;  // the sign of zero
  const auto large = beyond_reduction(x);
  if (__builtin_expect(any(large), 0)) {
    const auto of_library = [](T lane) {
      return kSingle<T> ? T(__builtin_sinf(lane)) : T(__builtin_sin(lane));
    };
    result = large ? lanewise<T>(x, of_library) : result;
  }
  return result;
}

template <typename V>
MINIDL_INLINE V cos(V x) {
  using T = Lane<V>;
  const auto [n, r] = reduce_by_half_pi(x);
  V result = sine_in_quadrant<V>(r, bits_plus(n + kRound<V>, 1));
  const auto large = beyond_reduction(x);
  if (__builtin_expect(any(large), 0)) {
    const auto of_library = [](T lane) {
      return kSingle<T> ? T(__builtin_cosf(lane)) : T(__builtin_cos(lane));
    };
    result = large ? lanewise<T>(x, of_library) : result;
  }
  return result;
}

}  // namespace minidl::cpu::MINIDL_ISA
