// Elementwise functions on the CPU, float and double: one row an operation here, one struct of the
// same name in cpu/simd/elementwise.cpp, activations.cpp or losses.cpp.
//
// NaN spreads through every operation, maximum, minimum and relu included. Results may not overlap
// operands.
#pragma once

#include <cstdint>

#include "cpu/isa.h"
#include "cpu/walk.h"

// name, arrays, numbers, weight (roughly the additions that one element costs, from which the size
// of a thread's share follows), documentation
#define MINIDL_ELEMENTWISE_OPS(X)                                                        \
  X(add, 2, 0, 1, "add(input, other): input + other")                                    \
  X(sub, 2, 0, 1, "sub(input, other): input - other")                                    \
  X(mul, 2, 0, 1, "mul(input, other): input * other")                                    \
  X(div, 2, 0, 2, "div(input, other): input / other")                                    \
  X(maximum, 2, 0, 1, "maximum(input, other); NaN wins")                                 \
  X(minimum, 2, 0, 1, "minimum(input, other); NaN wins")                                 \
  X(pow, 2, 0, 24, "pow(input, exponent): input ** exponent")                            \
  X(fmod, 2, 0, 8, "fmod(input, other): the rest, of the input's sign")                  \
  X(remainder, 2, 0, 8, "remainder(input, other): the rest, of the other's sign")        \
  X(hypot, 2, 0, 8, "hypot(input, other): sqrt(input^2 + other^2), without overflow")    \
  X(relu_grad, 2, 0, 1, "relu_grad(g, result): g where result > 0 or NaN")               \
  X(tanh_grad, 2, 0, 1, "tanh_grad(g, result): g (1 - result^2)")                        \
  X(sigmoid_grad, 2, 0, 1, "sigmoid_grad(g, result): g result (1 - result)")             \
  X(erf_grad, 2, 0, 8, "erf_grad(g, input): g 2/sqrt(pi) exp(-input^2)")                 \
  X(neg, 1, 0, 1, "neg(input): -input")                                                  \
  X(abs, 1, 0, 1, "abs(input): |input|")                                                 \
  X(sign, 1, 0, 1, "sign(input): -1, 0 or 1; 0 of NaN")                                  \
  X(floor, 1, 0, 1, "floor(input): the next whole number below")                         \
  X(ceil, 1, 0, 1, "ceil(input): the next whole number above")                           \
  X(trunc, 1, 0, 1, "trunc(input): the next whole number towards 0")                     \
  X(rint, 1, 0, 1, "rint(input): the nearest whole number, the even one of two")         \
  X(nan_to_num, 1, 3, 1, "nan_to_num(input, nan, posinf, neginf)")                       \
  X(square, 1, 0, 1, "square(input): input^2")                                           \
  X(cube, 1, 0, 1, "cube(input): input^3")                                               \
  X(reciprocal, 1, 0, 2, "reciprocal(input): 1 / input")                                 \
  X(sqrt, 1, 0, 2, "sqrt(input): square root")                                           \
  X(rsqrt, 1, 0, 4, "rsqrt(input): 1 / sqrt(input)")                                     \
  X(relu, 1, 0, 1, "relu(input): max(input, 0); NaN and -0 stay")                        \
  X(exp, 1, 0, 6, "exp(input)")                                                          \
  X(expm1, 1, 0, 8, "expm1(input): exp(input) - 1, accurate near 0")                     \
  X(log, 1, 0, 8, "log(input): natural logarithm")                                       \
  X(log1p, 1, 0, 8, "log1p(input): log(1 + input), accurate near 0")                     \
  X(tanh, 1, 0, 10, "tanh(input)")                                                       \
  X(sigmoid, 1, 0, 8, "sigmoid(input): 1 / (1 + exp(-input))")                           \
  X(sin, 1, 0, 16, "sin(input)")                                                         \
  X(cos, 1, 0, 16, "cos(input)")                                                         \
  X(erf, 1, 0, 12, "erf(input): 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x") \
  X(erfc, 1, 0, 20, "erfc(input): 1 - erf(input), accurate in the tail")                 \
  X(erfinv, 1, 0, 24, "erfinv(input): the inverse of erf")                               \
  X(lgamma, 1, 0, 60, "lgamma(input): log |Gamma(input)|")                               \
  X(digamma, 1, 0, 60, "digamma(input): the derivative of log Gamma")

#define MINIDL_ACTIVATIONS(X)                                                            \
  X(leaky_relu, 1, 1, 1, "leaky_relu(input, negative_slope)")                            \
  X(leaky_relu_grad, 2, 1, 1, "leaky_relu_grad(g, input, negative_slope)")               \
  X(prelu, 2, 0, 1, "prelu(input, weight): weight input where input <= 0")               \
  X(elu, 1, 3, 8, "elu(input, alpha, scale, input_scale)")                               \
  X(elu_grad, 2, 3, 8, "elu_grad(g, input, alpha, scale, input_scale)")                  \
  X(gelu_erf, 1, 0, 20, "gelu_erf(input): x P(X <= x)")                                  \
  X(gelu_erf_grad, 2, 0, 20, "gelu_erf_grad(g, input)")                                  \
  X(gelu_tanh, 1, 0, 10, "gelu_tanh(input): x sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3))") \
  X(gelu_tanh_grad, 2, 0, 12, "gelu_tanh_grad(g, input)")                                \
  X(silu, 1, 0, 8, "silu(input): x sigmoid(x)")                                          \
  X(silu_grad, 2, 0, 8, "silu_grad(g, input)")                                           \
  X(softplus, 1, 2, 16, "softplus(input, beta, threshold): log(1 + exp(beta x)) / beta") \
  X(softplus_grad, 2, 2, 8, "softplus_grad(g, input, beta, threshold)")                  \
  X(mish, 1, 0, 8, "mish(input): x tanh(log(1 + exp(x)))")                               \
  X(mish_grad, 2, 0, 10, "mish_grad(g, input)")                                          \
  X(log_sigmoid, 1, 0, 16, "log_sigmoid(input): log(sigmoid(x))")                        \
  X(log_sigmoid_grad, 2, 0, 8, "log_sigmoid_grad(g, input): g sigmoid(-x)")              \
  X(hardsigmoid, 1, 0, 1, "hardsigmoid(input): min(max(x + 3, 0), 6) / 6")               \
  X(hardsigmoid_grad, 2, 0, 1, "hardsigmoid_grad(g, input)")                             \
  X(hardswish, 1, 0, 1, "hardswish(input): x min(max(x + 3, 0), 6) / 6")                 \
  X(hardswish_grad, 2, 0, 1, "hardswish_grad(g, input)")                                 \
  X(hardtanh, 1, 2, 1, "hardtanh(input, low, high): input limited to [low, high]")       \
  X(hardtanh_grad, 2, 2, 1, "hardtanh_grad(g, input, low, high): 0 at the limits and beyond")

// Elements of losses of an input and a target: minidl/backends/reference/losses.py.
#define MINIDL_LOSSES(X)                                                        \
  X(squared_error, 2, 0, 1, "squared_error(input, target)")                     \
  X(absolute_error, 2, 0, 1, "absolute_error(input, target)")                   \
  X(smooth_l1_error, 2, 1, 2, "smooth_l1_error(input, target, beta), beta > 0") \
  X(huber_error, 2, 1, 2, "huber_error(input, target, delta)")                  \
  X(logits_error, 2, 0, 14, "logits_error(input, target): binary cross entropy of logits")

namespace minidl::cpu {

inline constexpr int kMaxOperands = 2;
inline constexpr int kMaxNumbers = 3;

// out[i] = op(operands[0][i steps[0]], ..., numbers) for i in [0, size). A step of 0 repeats one
// value. What an element becomes depends on its operands alone, not on where it stands.
template <typename T>
using ElementwiseRun = void (*)(int64_t size, const T* const* operands, const int64_t* steps,
                                const T* numbers, T* out);

template <typename T>
struct ElementwiseKernels {
#define MINIDL_ROW(name, ...) ElementwiseRun<T> name;
  MINIDL_ELEMENTWISE_OPS(MINIDL_ROW)
#undef MINIDL_ROW
};
MINIDL_KERNEL_TABLES(ElementwiseKernels, elementwise_kernels)

template <typename T>
struct ActivationKernels {
#define MINIDL_ROW(name, ...) ElementwiseRun<T> name;
  MINIDL_ACTIVATIONS(MINIDL_ROW)
#undef MINIDL_ROW
};
MINIDL_KERNEL_TABLES(ActivationKernels, activation_kernels)

template <typename T>
struct LossKernels {
#define MINIDL_ROW(name, ...) ElementwiseRun<T> name;
  MINIDL_LOSSES(MINIDL_ROW)
#undef MINIDL_ROW
};
MINIDL_KERNEL_TABLES(LossKernels, loss_kernels)

// The rows as types.
namespace elementwise_ops {
#define MINIDL_ROW(name, arrays, numbers, weight, text) \
  struct name {                                         \
    static constexpr int kArrays = arrays;              \
    static constexpr int kNumbers = numbers;            \
    static constexpr int kWeight = weight;              \
    template <typename T>                               \
    static ElementwiseRun<T> run() {                    \
      return MINIDL_TABLE<T>().name;                    \
    }                                                   \
  };
#define MINIDL_TABLE elementwise_kernels
MINIDL_ELEMENTWISE_OPS(MINIDL_ROW)
#undef MINIDL_TABLE
#define MINIDL_TABLE activation_kernels
MINIDL_ACTIVATIONS(MINIDL_ROW)
#undef MINIDL_TABLE
#define MINIDL_TABLE loss_kernels
MINIDL_LOSSES(MINIDL_ROW)
#undef MINIDL_TABLE
#undef MINIDL_ROW
}  // namespace elementwise_ops

template <typename T>
struct ElementwiseCall {
  ElementwiseRun<T> run;
  int weight;
  const T* operands[kMaxOperands];
  T numbers[kMaxNumbers];
  T* out;  // without gaps, in the walk's order
};

// Operands and result run through memory alike; steps are 0 or 1.
template <typename T>
void elementwise_flat(const ElementwiseCall<T>& call, int64_t size, const int64_t* steps);

// Any strides. The walk's shape has no extent of 0.
template <typename T>
void elementwise_walk(const ElementwiseCall<T>& call, const Walk<kMaxOperands>& walk);

}  // namespace minidl::cpu
