// What the elementwise kernels compute, one row an operation. Adding a row adds the operation
// everywhere: kernels, host API, bindings.
//   X(name, inputs, numbers, kind, path, expression)
// The expression is one of the operands a, b, c and the numbers p, q, r, all of type C, which is
// what the kernels compute in: float (for 16-bit floats too), double, int64 or uint64. A bool is a
// result of dtype bool. `kind` says for which C there is the operation, `path` whether it has a
// kernel of its own for packs of 16-bit and 32-bit floats, or only its case in the switch of those
// that serve everything (elementwise_select.h).
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <type_traits>

#include "cuda/elementwise_math.h"

// Of the gradients, a is the incoming one and b what the gradient is taken at: the operation's
// result where it has a short gradient in terms of that, else its input.
// clang-format off
#define MINIDL_ELEMENTWISE(X)                                                                 \
  X(cast, 1, 0, any, hot, a)                                                                  \
  X(neg, 1, 0, any, hot, negated(a))                                                          \
  X(abs, 1, 0, any, hot, magnitude(a))                                                        \
  X(sign, 1, 0, any, rare, sign_of(a))                                                        \
  X(square, 1, 0, any, hot, times(a, a))                                                      \
  X(reciprocal, 1, 0, floats, hot, C(1) / a)                                                  \
  X(sqrt, 1, 0, floats, hot, std::sqrt(a))                                                    \
  X(rsqrt, 1, 0, floats, hot, C(1) / std::sqrt(a))                                            \
  X(exp, 1, 0, floats, hot, std::exp(a))                                                      \
  X(exp2, 1, 0, floats, rare, std::exp2(a))                                                   \
  X(expm1, 1, 0, floats, rare, std::expm1(a))                                                 \
  X(log, 1, 0, floats, hot, std::log(a))                                                      \
  X(log2, 1, 0, floats, rare, std::log2(a))                                                   \
  X(log10, 1, 0, floats, rare, std::log10(a))                                                 \
  X(log1p, 1, 0, floats, rare, std::log1p(a))                                                 \
  X(sin, 1, 0, floats, rare, std::sin(a))                                                     \
  X(cos, 1, 0, floats, rare, std::cos(a))                                                     \
  X(tan, 1, 0, floats, rare, std::tan(a))                                                     \
  X(asin, 1, 0, floats, rare, std::asin(a))                                                   \
  X(acos, 1, 0, floats, rare, std::acos(a))                                                   \
  X(atan, 1, 0, floats, rare, std::atan(a))                                                   \
  X(sinh, 1, 0, floats, rare, std::sinh(a))                                                   \
  X(cosh, 1, 0, floats, rare, std::cosh(a))                                                   \
  X(asinh, 1, 0, floats, rare, std::asinh(a))                                                 \
  X(acosh, 1, 0, floats, rare, std::acosh(a))                                                 \
  X(atanh, 1, 0, floats, rare, std::atanh(a))                                                 \
  X(tanh, 1, 0, floats, hot, std::tanh(a))                                                    \
  X(sigmoid, 1, 0, floats, hot, sigmoid_of(a))                                                \
  X(relu, 1, 0, any, hot, larger(a, C(0)))                                                    \
  X(floor, 1, 0, floats, rare, std::floor(a))                                                 \
  X(ceil, 1, 0, floats, rare, std::ceil(a))                                                   \
  X(trunc, 1, 0, floats, rare, std::trunc(a))                                                 \
  X(rint, 1, 0, floats, rare, std::rint(a))                                                   \
  X(erf, 1, 0, floats, rare, std::erf(a))                                                     \
  X(erfc, 1, 0, floats, rare, std::erfc(a))                                                   \
  X(isnan, 1, 0, floats, rare, is_a_nan(a))                                                   \
  X(isinf, 1, 0, floats, rare, magnitude(a) == infinity<C>())                                 \
  X(isfinite, 1, 0, floats, rare, magnitude(a) < infinity<C>())                               \
  X(signbit, 1, 0, floats, rare, std::signbit(a) != 0)                                        \
  X(logical_not, 1, 0, any, rare, a == C(0))                                                  \
  X(bitwise_not, 1, 0, integers, rare, ~a)                                                    \
  X(silu, 1, 0, floats, hot, a * sigmoid_of(a))                                               \
  X(mish, 1, 0, floats, rare, a * std::tanh(softplus_of(a)))                                  \
  X(log_sigmoid, 1, 0, floats, rare, -softplus_of(-a))                                        \
  X(hardsigmoid, 1, 0, floats, rare, limited(a + C(3), C(0), C(6)) / C(6))                    \
  X(hardswish, 1, 0, floats, rare, a * limited(a + C(3), C(0), C(6)) / C(6))                  \
  X(gelu_erf, 1, 0, floats, hot, a * normal_integral(a))                                      \
  X(gelu_tanh, 1, 0, floats, hot, a * (C(0.5) * (C(1) + std::tanh(gelu_inner(a)))))           \
  X(leaky_relu, 1, 1, floats, hot, a > C(0) ? a : a * p)                                      \
  X(elu, 1, 3, floats, rare, (a > C(0) ? a : std::expm1(a * r) * p) * q)                      \
  X(softplus, 1, 2, floats, rare, a * p > q ? a : softplus_of(a * p) / p)                     \
  X(hardtanh, 1, 2, any, hot, limited(a, p, q))                                               \
  X(softshrink, 1, 1, floats, rare, a > p ? a - p : (a < -p ? a + p : a * C(0)))              \
  X(hardshrink, 1, 1, floats, rare, magnitude(a) <= p ? C(0) : a)                             \
  X(threshold, 1, 2, any, rare, a <= p ? q : a)                                               \
  X(nan_to_num, 1, 3, floats, rare, is_a_nan(a) ? p : finite_or(a, q, r))                     \
  X(add, 2, 0, any, hot, plus(a, b))                                                          \
  X(sub, 2, 0, any, hot, minus(a, b))                                                         \
  X(mul, 2, 0, any, hot, times(a, b))                                                         \
  X(div, 2, 0, floats, hot, a / b)                                                            \
  X(floor_divide, 2, 0, any, rare, floor_quotient(a, b))                                      \
  X(remainder, 2, 0, any, rare, floor_remainder(a, b))                                        \
  X(fmod, 2, 0, any, rare, trunc_remainder(a, b))                                             \
  X(pow, 2, 0, floats, rare, std::pow(a, b))                                                  \
  X(maximum, 2, 0, any, hot, larger(a, b))                                                    \
  X(minimum, 2, 0, any, hot, smaller(a, b))                                                   \
  X(fmax, 2, 0, any, rare, a > b || is_a_nan(b) ? a : b)                                      \
  X(fmin, 2, 0, any, rare, a < b || is_a_nan(b) ? a : b)                                      \
  X(atan2, 2, 0, floats, rare, std::atan2(a, b))                                              \
  X(hypot, 2, 0, floats, rare, std::hypot(a, b))                                              \
  X(copysign, 2, 0, floats, rare, std::copysign(a, b))                                        \
  X(logaddexp, 2, 0, floats, rare, log_of_sum(a, b))                                          \
  X(heaviside, 2, 0, any, rare, a == C(0) ? b : (a > C(0) ? C(1) : C(0)))               \
  X(eq, 2, 0, any, hot, a == b)                                                               \
  X(ne, 2, 0, any, hot, a != b)                                                               \
  X(lt, 2, 0, any, hot, a < b)                                                                \
  X(le, 2, 0, any, hot, a <= b)                                                               \
  X(gt, 2, 0, any, hot, a > b)                                                                \
  X(ge, 2, 0, any, hot, a >= b)                                                               \
  X(logical_and, 2, 0, any, rare, a != C(0) && b != C(0))                                     \
  X(logical_or, 2, 0, any, rare, a != C(0) || b != C(0))                                      \
  X(logical_xor, 2, 0, any, rare, (a != C(0)) != (b != C(0)))                                 \
  X(bitwise_and, 2, 0, integers, rare, a & b)                                                 \
  X(bitwise_or, 2, 0, integers, rare, a | b)                                                  \
  X(bitwise_xor, 2, 0, integers, rare, a ^ b)                                                 \
  X(left_shift, 2, 0, integers, rare, shifted_left(a, b))                                     \
  X(right_shift, 2, 0, integers, rare, shifted_right(a, b))                                   \
  X(relu_grad, 2, 0, floats, hot, b <= C(0) ? C(0) : a)                                       \
  X(tanh_grad, 2, 0, floats, hot, a * (C(1) - b * b))                                         \
  X(sigmoid_grad, 2, 0, floats, hot, a * (b * (C(1) - b)))                                    \
  X(erf_grad, 2, 0, floats, rare, a * (std::exp(-b * b) * C(1.1283791670955126)))             \
  X(silu_grad, 2, 0, floats, hot, a * silu_slope(b))                                          \
  X(mish_grad, 2, 0, floats, rare, a * mish_slope(b))                                         \
  X(log_sigmoid_grad, 2, 0, floats, rare, a * sigmoid_of(-b))                                 \
  X(hardsigmoid_grad, 2, 0, floats, rare, b > C(-3) && b < C(3) ? a / C(6) : C(0))            \
  X(hardswish_grad, 2, 0, floats, rare, hardswish_slope(a, b))                                \
  X(gelu_erf_grad, 2, 0, floats, hot, a * (normal_integral(b) + b * normal_density(b)))       \
  X(gelu_tanh_grad, 2, 0, floats, hot, a * gelu_tanh_slope(b))                                \
  X(leaky_relu_grad, 2, 1, floats, hot, b > C(0) ? a : a * p)                                 \
  X(elu_grad, 2, 3, floats, rare, a * (b > C(0) ? q : std::exp(b * r) * (p * q * r)))         \
  X(softplus_grad, 2, 2, floats, rare, b * p > q ? a : a * sigmoid_of(b * p))                 \
  X(hardtanh_grad, 2, 2, floats, hot, b <= p || b >= q ? C(0) : a)                            \
  X(squared_error, 2, 0, floats, hot, (a - b) * (a - b))                                      \
  X(absolute_error, 2, 0, floats, rare, magnitude(a - b))                                     \
  X(smooth_l1_error, 2, 1, floats, rare, smooth_error(magnitude(a - b), p))                   \
  X(huber_error, 2, 1, floats, rare, huber_of(magnitude(a - b), p))                           \
  X(logits_error, 2, 0, floats, rare, (C(1) - b) * a + softplus_of(-a))                       \
  X(probability_error, 2, 0, floats, rare, entropy_of(a, b))                                  \
  X(clamp, 3, 0, any, hot, limited(a, b, c))
// clang-format on

namespace minidl::cuda {

enum class ElementwiseOp {
#define MINIDL_NAME(name, inputs, numbers, kind, path, expression) name,
  MINIDL_ELEMENTWISE(MINIDL_NAME)
#undef MINIDL_NAME
};

inline constexpr int max_elementwise_inputs = 3;
inline constexpr int max_elementwise_numbers = 3;

enum class ElementwiseKind { any, floats, integers };
enum class ElementwisePath { hot, rare };

template <class C>
constexpr bool computes(ElementwiseKind kind) {
  return kind == ElementwiseKind::any ||
         (kind == ElementwiseKind::floats) == std::is_floating_point_v<C>;
}

struct ElementwiseRow {
  const char* name;
  int inputs, numbers;
  ElementwiseKind kind;
  ElementwisePath path;
  bool truth;  // the result is of dtype bool
};

// An operation as a type.
template <ElementwiseOp op>
struct Elementwise;

#define MINIDL_FUNCTOR(name_, inputs_, numbers_, kind_, path_, expression)           \
  template <>                                                                        \
  struct Elementwise<ElementwiseOp::name_> {                                         \
    static constexpr const char* name = #name_;                                      \
    static constexpr int inputs = inputs_, numbers = numbers_;                       \
    static constexpr ElementwiseKind kind = ElementwiseKind::kind_;                  \
    static constexpr ElementwisePath path = ElementwisePath::path_;                  \
    template <class C>                                                               \
    static __device__ __forceinline__ auto apply([[maybe_unused]] const C* v,        \
                                                 [[maybe_unused]] const C* number) { \
      [[maybe_unused]] const C a = v[0], b = v[inputs > 1 ? 1 : 0];                  \
      [[maybe_unused]] const C c = v[inputs > 2 ? 2 : 0];                            \
      [[maybe_unused]] const C p = number[0], q = number[1], r = number[2];          \
      return expression;                                                             \
    }                                                                                \
  };
MINIDL_ELEMENTWISE(MINIDL_FUNCTOR)
#undef MINIDL_FUNCTOR

// What an operation is, without its expression.
ElementwiseRow elementwise_row(ElementwiseOp op);

}  // namespace minidl::cuda
