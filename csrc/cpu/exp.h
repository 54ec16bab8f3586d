// exp(x) for x <= 0, written so that the compiler turns a loop over it into vector code.
//
// Range reduction x = n ln2 + r with |r| <= ln2 / 2, the Taylor polynomial of exp(r), and a
// multiplication by 2^n (J.-M. Muller, "Elementary Functions", 3rd edition, section 6.2). Within
// 2 ulp in float and in double; results below the smallest normal number become subnormals and then
// zero. NaN stays NaN, -infinity gives 0. A slightly positive x (rounding) is served as well.
#pragma once

#include <bit>
#include <cstdint>

namespace minidl::cpu {

// Adding kRound = 1.5 * 2^(mantissa bits) rounds to an integer and leaves it in the lowest bits, so
// that a shift alone makes the exponent field of 2^n. 2^n is built as a product of two powers,
// since the smallest results are less than the smallest normal number. (NaN leaves garbage in both
// exponents; the polynomial is NaN then.)
inline float exp_nonpositive(float x) {
  constexpr float kRound = 12582912.f;
  x = x < -110.f ? -110.f : x;  // keeps NaN: the comparison is false
  const float n = (x * 1.44269504f + kRound) - kRound;
  const float r = (x - n * 0.693145752f) - n * 1.42860682e-6f;
  float p = 1.f / 5040;
  p = p * r + 1.f / 720;
  p = p * r + 1.f / 120;
  p = p * r + 1.f / 24;
  p = p * r + 1.f / 6;
  p = p * r + 0.5f;
  p = p * r * r + r + 1.f;
  const float half = n * 0.5f + kRound;
  const float rest = n - (half - kRound) + kRound;
  const float first = std::bit_cast<float>((std::bit_cast<uint32_t>(half) + 127u) << 23);
  const float second = std::bit_cast<float>((std::bit_cast<uint32_t>(rest) + 127u) << 23);
  return p * first * second;
}

inline double exp_nonpositive(double x) {
  constexpr double kRound = 6755399441055744.0;
  x = x < -760.0 ? -760.0 : x;
  const double n = (x * 1.4426950408889634 + kRound) - kRound;
  const double r = (x - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
  double p = 1.0 / 6227020800.0;  // 1 / 13!
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = p * r * r + r + 1.0;
  const double half = n * 0.5 + kRound;
  const double rest = n - (half - kRound) + kRound;
  const double first = std::bit_cast<double>((std::bit_cast<uint64_t>(half) + 1023u) << 52);
  const double second = std::bit_cast<double>((std::bit_cast<uint64_t>(rest) + 1023u) << 52);
  return p * first * second;
}

}  // namespace minidl::cpu
