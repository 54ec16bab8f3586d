// The inverse of erf, infinite at 1 and -1, NaN beyond: within 4 ulp in float and 1e-15 in double.
#pragma once

#include "cpu/simd/math.h"

namespace minidl::cpu::MINIDL_ISA {

// Double: a quantile of the normal distribution, by rational functions of q^2 in the middle, of the
// root of -log p beside it and far out (M. Wichura, "Algorithm AS 241", Applied Statistics 37,
// 1988, PPND16).

// The quantile at 1/2 + q over q, for |q| <= 0.425 and r = 0.180625 - q^2.
MINIDL_INLINE Vec<double> quantile_slope(Vec<double> r) {
  return polynomial(r, 2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4,
                    4.5921953931549871457e4, 1.3731693765509461125e4, 1.9715909503065514427e3,
                    1.3314166789178437745e2, 3.3871328727963666080e0) /
         polynomial(r, 5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4,
                    2.1213794301586595867e4, 5.3941960214247511077e3, 6.8718700749205790830e2,
                    4.2313330701600911252e1, 1.0);
}

// The size of the quantile at p < 0.075, of the root of -log p up to 5.
MINIDL_INLINE Vec<double> quantile_beside(Vec<double> root) {
  const Vec<double> r = root - 1.6;
  return polynomial(r, 7.74545014278341407640e-4, 2.27238449892691845833e-2,
                    2.41780725177450611770e-1, 1.27045825245236838258e0, 3.64784832476320460504e0,
                    5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0) /
         polynomial(r, 1.05075007164441684324e-9, 5.47593808499534494600e-4,
                    1.51986665636164571966e-2, 1.48103976427480074590e-1, 6.89767334985100004550e-1,
                    1.67638483018380384940e0, 2.05319162663775882187e0, 1.0);
}

// The same from 5 on.
MINIDL_INLINE Vec<double> quantile_far(Vec<double> root) {
  const Vec<double> r = root - 5.0;
  return polynomial(r, 2.01033439929228813265e-7, 2.71155556874348757815e-5,
                    1.24266094738807843860e-3, 2.65321895265761230930e-2, 2.96560571828504891230e-1,
                    1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0) /
         polynomial(r, 2.04426310338993978564e-15, 1.42151175831644588870e-7,
                    1.84631831751005468180e-5, 7.86869131145613259100e-4, 1.48753612908506148525e-2,
                    1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0);
}

// The quantile at (1 + x) / 2 over the root of 2.
MINIDL_INLINE Vec<double> erfinv(Vec<double> x) {
  constexpr double kRootHalf = 0.70710678118654752440;
  const Vec<double> q = x * 0.5, size = absolute(x);
  const Vec<double> middle = q * quantile_slope(0.180625 - q * q) * kRootHalf;
  const auto inside = size <= 0.85;
  if (!any(~inside)) return middle;
  const Vec<double> p = inside ? same<Vec<double>>(0.05) : (1.0 - size) * 0.5;
  const Vec<double> root = square_root<Vec<double>>(-log<Vec<double>>(p));
  Vec<double> outer = quantile_beside(root);
  if (any(root > 5.0)) outer = root > 5.0 ? quantile_far(root) : outer;
  outer =
      size == 1.0 ? same<Vec<double>>(std::numeric_limits<double>::infinity()) : outer * kRootHalf;
  return inside ? middle : copy_sign(outer, x);
}

// Float: x times a polynomial of w = -log(1 - x^2) up to 5, of its root beyond (M. Giles,
// "Approximating the erfinv function", GPU Computing Gems, 2012); fitted in Chebyshev polynomials
// within 1e-8.
MINIDL_INLINE Vec<float> erfinv(Vec<float> x) {
  const Vec<float> w = -log<Vec<float>>((1.f - x) * (1.f + x));
  Vec<float> ratio = polynomial(
      w - 2.5f, -8.941323076885067e-9f, 2.326512502718454e-8f, 4.682659877368745e-7f,
      -3.4630966071904054e-6f, -4.973066428722601e-6f, 2.1834589854598984e-4f,
      -1.2527252301337546e-3f, -4.177388486038254e-3f, 2.4664027848116155e-1f, 1.501409359583696f);
  const auto tail = ~(w < 5.f);  // NaN too
  if (any(tail)) {
    const Vec<float> far =
        polynomial(square_root(w) - 3.f, 1.1713114548579267e-4f, -3.1196411306544337e-4f,
                   -5.77634323327596e-5f, 1.4879874024953561e-3f, -3.597482233675793e-3f,
                   5.685857616183748e-3f, -7.637167862344862e-3f, 9.445427502029475e-3f,
                   1.0016749555016602f, 2.8329767983784158f);
    ratio = tail ? far : ratio;
    ratio = absolute(x) == 1.f ? same<Vec<float>>(std::numeric_limits<float>::infinity()) : ratio;
  }
  return x * ratio;
}

}  // namespace minidl::cpu::MINIDL_ISA
