// The functions in the rows of elementwise_ops.h that <cmath> has not. C is float, double, int64
// or uint64; integers wrap around. NaN is handed on.
#pragma once

#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace minidl::cuda {

template <class C>
__device__ __forceinline__ constexpr C infinity() {
  return std::numeric_limits<C>::infinity();
}

// Arithmetic that wraps around: signed integers go through unsigned ones, whose overflow is
// defined.
template <class C>
using wrapping_t = typename std::conditional_t<std::is_integral_v<C>, std::make_unsigned<C>,
                                               std::type_identity<C>>::type;
template <class C>
__device__ __forceinline__ C plus(C a, C b) {
  return static_cast<C>(static_cast<wrapping_t<C>>(a) + static_cast<wrapping_t<C>>(b));
}
template <class C>
__device__ __forceinline__ C minus(C a, C b) {
  return static_cast<C>(static_cast<wrapping_t<C>>(a) - static_cast<wrapping_t<C>>(b));
}
template <class C>
__device__ __forceinline__ C times(C a, C b) {
  return static_cast<C>(static_cast<wrapping_t<C>>(a) * static_cast<wrapping_t<C>>(b));
}

template <class C>
__device__ __forceinline__ C negated(C a) {
  if constexpr (std::is_floating_point_v<C>) {
    return -a;
  } else {
    return minus(C(0), a);
  }
}

// Comparisons of which some types know the outcome.
template <class C>
__device__ __forceinline__ bool is_a_nan(C a) {
  if constexpr (std::is_floating_point_v<C>) return a != a;
  return false;
}
template <class C>
__device__ __forceinline__ bool is_negative(C a) {
  if constexpr (std::is_signed_v<C>) return a < C(0);
  return false;
}

template <class C>
__device__ __forceinline__ C magnitude(C a) {
  if constexpr (std::is_floating_point_v<C>) {
    return std::fabs(a);
  } else {
    return is_negative(a) ? negated(a) : a;
  }
}
template <class C>
__device__ __forceinline__ C sign_of(C a) {
  return is_negative(a) ? C(-1) : (a > C(0) ? C(1) : C(0));  // of NaN 0, as in PyTorch
}
template <class C>
__device__ __forceinline__ C larger(C a, C b) {
  return a > b || is_a_nan(a) ? a : b;
}
template <class C>
__device__ __forceinline__ C smaller(C a, C b) {
  return a < b || is_a_nan(a) ? a : b;
}
// The upper limit wins over the lower one; a NaN among the three is the result.
template <class C>
__device__ __forceinline__ C limited(C a, C low, C high) {
  return smaller(larger(a, low), high);
}
template <class C>
__device__ __forceinline__ C finite_or(C a, C above, C below) {
  return a == infinity<C>() ? above : (a == -infinity<C>() ? below : a);
}

// Quotients and remainders. An integer divided by zero is zero, as in NumPy.
template <class C>
__device__ __forceinline__ C trunc_remainder(C a, C b) {
  if constexpr (std::is_floating_point_v<C>) {
    return std::fmod(a, b);
  } else {
    // Nothing is left by -1, by which the lowest integer has no quotient.
    return b == C(0) || (std::is_signed_v<C> && b == C(-1)) ? C(0) : a % b;
  }
}
// With the sign of the divisor; of zeros too, among floats.
template <class C>
__device__ __forceinline__ C floor_remainder(C a, C b) {
  const C rest = trunc_remainder(a, b);
  if constexpr (std::is_floating_point_v<C>) {
    if (rest == C(0)) return std::copysign(C(0), b);
  }
  return rest != C(0) && is_negative(rest) != is_negative(b) ? plus(rest, b) : rest;
}
// Rounded down: of floats exactly so, where their quotient would round up to the next integer.
template <class C>
__device__ __forceinline__ C floor_quotient(C a, C b) {
  if constexpr (std::is_floating_point_v<C>) {
    if (b == C(0)) return a / b;
    const C rest = std::fmod(a, b);
    C quotient = (a - rest) / b;
    if (rest != C(0) && (b < C(0)) != (rest < C(0))) quotient -= C(1);
    if (quotient == C(0)) return std::copysign(C(0), a / b);
    const C whole = std::floor(quotient);
    return quotient - whole > C(0.5) ? whole + C(1) : whole;
  } else {
    if (b == C(0)) return C(0);
    if (std::is_signed_v<C> && b == C(-1)) return minus(C(0), a);
    const C quotient = a / b;
    return a % b != C(0) && is_negative(a) != is_negative(b) ? quotient - C(1) : quotient;
  }
}

// Shifts by as many bits as an int64 has, or by a negative number, move everything out.
template <class C>
__device__ __forceinline__ C shifted_left(C a, C bits) {
  const auto count = static_cast<std::uint64_t>(bits);
  return count < 64 ? static_cast<C>(static_cast<std::uint64_t>(a) << count) : C(0);
}
template <class C>
__device__ __forceinline__ C shifted_right(C a, C bits) {
  const auto count = static_cast<std::uint64_t>(bits);
  return count < 64 ? static_cast<C>(a >> count) : (is_negative(a) ? C(-1) : C(0));
}

template <class C>
__device__ __forceinline__ C sigmoid_of(C a) {
  return C(1) / (C(1) + std::exp(-a));
}
// log(1 + exp(a)), without overflow
template <class C>
__device__ __forceinline__ C softplus_of(C a) {
  return larger(a, C(0)) + std::log1p(std::exp(-std::fabs(a)));
}
// log(exp(a) + exp(b)); equal infinities have no difference.
template <class C>
__device__ __forceinline__ C log_of_sum(C a, C b) {
  if (a == b) return a + C(0.693147180559945309417);
  return (a > b ? a : b) + std::log1p(std::exp(-std::fabs(a - b)));
}

// The standard normal distribution.
template <class C>
__device__ __forceinline__ C normal_integral(C a) {
  return C(0.5) * (C(1) + std::erf(a * C(0.70710678118654752440)));
}
template <class C>
__device__ __forceinline__ C normal_density(C a) {
  return std::exp(C(-0.5) * a * a) * C(0.39894228040143267794);
}

// What the tanh of GELU's approximation is taken of.
template <class C>
__device__ __forceinline__ C gelu_inner(C a) {
  return C(0.79788456080286535588) * (a + C(0.044715) * a * a * a);
}
template <class C>
__device__ __forceinline__ C gelu_tanh_slope(C x) {
  const C t = std::tanh(gelu_inner(x));
  const C inner_slope = C(0.79788456080286535588) * (C(1) + C(3 * 0.044715) * x * x);
  return C(0.5) * (C(1) + t) + C(0.5) * x * (C(1) - t * t) * inner_slope;
}
template <class C>
__device__ __forceinline__ C silu_slope(C x) {
  const C s = sigmoid_of(x);
  return s * (C(1) + x * (C(1) - s));
}
template <class C>
__device__ __forceinline__ C mish_slope(C x) {
  const C t = std::tanh(softplus_of(x));
  return t + x * sigmoid_of(x) * (C(1) - t * t);
}
template <class C>
__device__ __forceinline__ C hardswish_slope(C g, C x) {
  if (x <= C(-3)) return C(0);
  return x >= C(3) ? g : g * (x * C(1.0 / 3) + C(0.5));
}

// Losses of a distance or of a probability.
template <class C>
__device__ __forceinline__ C smooth_error(C distance, C beta) {
  return distance < beta ? distance * distance * (C(0.5) / beta) : distance - C(0.5) * beta;
}
template <class C>
__device__ __forceinline__ C huber_of(C distance, C delta) {
  return distance <= delta ? distance * distance * C(0.5) : (distance - C(0.5) * delta) * delta;
}
// -(t log x + (1 - t) log(1 - x)), both logarithms at least -100
template <class C>
__device__ __forceinline__ C entropy_of(C x, C t) {
  return (t - C(1)) * larger(std::log1p(-x), C(-100)) - t * larger(std::log(x), C(-100));
}

}  // namespace minidl::cuda
