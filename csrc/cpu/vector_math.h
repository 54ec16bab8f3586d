// exp, log, tanh and the logistic function, written without branches, so that the compiler turns a
// loop over them into vector code (calls of the C library stay one element at a time). Within 2 ulp
// in float and 3 in double; infinities, NaN, signed zeros and subnormals as in the C library.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "cpu/exp.h"

namespace minidl::cpu {

// exp(x) of any x: exp_nonpositive is good to both sides, but for the limit of its argument.
inline float vector_exp(float x) { return exp_nonpositive(x > 89.f ? 89.f : x); }
inline double vector_exp(double x) { return exp_nonpositive(x > 710.0 ? 710.0 : x); }

// 1 / (1 + exp(-x)), by exp(-|x|) so that nothing overflows.
template <class T>
T vector_sigmoid(T x) {
  const T e = exp_nonpositive(-std::fabs(x));
  return (x < 0 ? e : T(1)) / (1 + e);
}

// Minimax approximations of tanh(x) / x - 1 over x^2 for |x| < 0.625, as a function of z = x^2
// (S. L. Moshier, Cephes Mathematical Library, tanhf and tanh).
inline float tanh_near_zero(float z) {
  float p = -5.70498872745e-3f;
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  return p * z - 3.33332819422e-1f;
}
inline double tanh_near_zero(double z) {
  const double p =
      (-9.64399179425052238628e-1 * z - 9.92877231001918586564e1) * z - 1.61468768441708447952e3;
  const double q = ((z + 1.12811678491632931402e2) * z + 2.23548839060100448583e3) * z +
                   4.84406305325125486048e3;
  return p / q;
}

template <class T>
T vector_tanh(T x) {
  const T size = std::fabs(x), z = x * x;
  const T near = size + size * (z * tanh_near_zero(z));
  const T e = exp_nonpositive(-2 * size);
  const T far = (1 - e) / (1 + e);
  return std::copysign(size < T(0.625) ? near : far, x);
}

// x = m 2^e with m in [sqrt(1/2), sqrt(2)), a minimax polynomial of log(m) (Cephes, logf), and
// e ln2 in two parts.
inline float vector_log(float x) {
  const bool subnormal = x < std::numeric_limits<float>::min();
  const float scaled = subnormal ? x * 8388608.f : x;  // 2^23
  const int32_t bits = std::bit_cast<int32_t>(scaled);
  const int32_t shifted = bits - 0x3f3504f3;  // sqrt(1/2): the carry decides the exponent
  const int32_t exponent = shifted >> 23;
  const float m = std::bit_cast<float>((shifted & 0x007fffff) + 0x3f3504f3) - 1.f;
  const float e = static_cast<float>(exponent) - (subnormal ? 23.f : 0.f);
  const float z = m * m;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  const float y = p * m * z - 2.12194440e-4f * e - 0.5f * z;
  const float result = m + y + 0.693359375f * e;
  const float edge =
      x == 0.f ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  const float positive = x < std::numeric_limits<float>::infinity() ? result : x;
  return x > 0.f || x != x ? positive : edge;
}

// The C library's: no vector code, but its accuracy; a polynomial as good would save little.
inline double vector_log(double x) { return std::log(x); }

}  // namespace minidl::cpu
