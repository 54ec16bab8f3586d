// What the elementwise kernels compute, one row an operation. Adding a row adds the operation
// everywhere: kernels, host API, bindings. `MINIDL_UNARY(X)` calls X(name, expression of x);
// `MINIDL_BINARY(X)` calls X(name, expression of a and b).
#pragma once

#include <cuda_runtime.h>

#include <cmath>

// clang-format off
#define MINIDL_UNARY(X)                          \
  X(neg, -x)                                     \
  X(abs, std::fabs(x))                           \
  X(square, x * x)                               \
  X(reciprocal, T(1) / x)                        \
  X(sqrt, std::sqrt(x))                          \
  X(rsqrt, T(1) / std::sqrt(x))                  \
  X(exp, std::exp(x))                            \
  X(log, std::log(x))                            \
  X(sin, std::sin(x))                            \
  X(cos, std::cos(x))                            \
  X(tanh, std::tanh(x))                          \
  X(sigmoid, T(1) / (T(1) + std::exp(-x)))       \
  X(relu, x > T(0) || x != x ? x : T(0))

// maximum and minimum hand a NaN on. Of the gradients, a is the incoming one and b the op's result.
#define MINIDL_BINARY(X)                         \
  X(add, a + b)                                  \
  X(sub, a - b)                                  \
  X(mul, a * b)                                  \
  X(div, a / b)                                  \
  X(pow, std::pow(a, b))                         \
  X(maximum, a > b || a != a ? a : b)            \
  X(minimum, a < b || a != a ? a : b)            \
  X(relu_grad, b <= T(0) ? T(0) : a)             \
  X(tanh_grad, a * (T(1) - b * b))               \
  X(sigmoid_grad, a * b * (T(1) - b))
// clang-format on

namespace minidl::cuda {

enum class UnaryOp {
#define MINIDL_NAME(name, expression) name,
  MINIDL_UNARY(MINIDL_NAME)
};
enum class BinaryOp {
  MINIDL_BINARY(MINIDL_NAME)
#undef MINIDL_NAME
};

// Operation as a type, for the kernels' template parameter.
template <UnaryOp op>
struct Unary;
template <BinaryOp op>
struct Binary;

#define MINIDL_FUNCTOR(name, expression)                         \
  template <>                                                    \
  struct Unary<UnaryOp::name> {                                  \
    template <class T>                                           \
    static __device__ __forceinline__ T apply(const T (&v)[1]) { \
      const T x = v[0];                                          \
      return expression;                                         \
    }                                                            \
  };
MINIDL_UNARY(MINIDL_FUNCTOR)
#undef MINIDL_FUNCTOR

#define MINIDL_FUNCTOR(name, expression)                         \
  template <>                                                    \
  struct Binary<BinaryOp::name> {                                \
    template <class T>                                           \
    static __device__ __forceinline__ T apply(const T (&v)[2]) { \
      const T a = v[0], b = v[1];                                \
      return expression;                                         \
    }                                                            \
  };
MINIDL_BINARY(MINIDL_FUNCTOR)
#undef MINIDL_FUNCTOR

}  // namespace minidl::cuda
