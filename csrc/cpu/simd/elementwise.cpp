#include "cpu/elementwise.h"

#include "cpu/simd/elementwise_run.h"
#include "cpu/simd/erf.h"
#include "cpu/simd/erfinv.h"
#include "cpu/simd/gamma.h"
#include "cpu/simd/hypot.h"
#include "cpu/simd/math.h"
#include "cpu/simd/power.h"
#include "cpu/simd/remainders.h"
#include "cpu/simd/trigonometry.h"

namespace minidl::cpu::MINIDL_ISA {
namespace ops {
namespace {

// One function of vectors a row of MINIDL_ELEMENTWISE_OPS.
#define MINIDL_UNARY(name, result)        \
  struct name {                           \
    template <typename V>                 \
    static MINIDL_INLINE V of(V x) {      \
      using T [[maybe_unused]] = Lane<V>; \
      return result;                      \
    }                                     \
  };
#define MINIDL_BINARY(name, a, b, result) \
  struct name {                           \
    template <typename V>                 \
    static MINIDL_INLINE V of(V a, V b) { \
      using T [[maybe_unused]] = Lane<V>; \
      return result;                      \
    }                                     \
  };

MINIDL_BINARY(add, a, b, a + b)
MINIDL_BINARY(sub, a, b, a - b)
MINIDL_BINARY(mul, a, b, a* b)
MINIDL_BINARY(div, a, b, a / b)
MINIDL_BINARY(maximum, a, b, (a >= b) | (a != a) ? a : b)
MINIDL_BINARY(minimum, a, b, (a <= b) | (a != a) ? a : b)
MINIDL_BINARY(pow, a, b, MINIDL_ISA::pow(a, b))
MINIDL_BINARY(fmod, a, b, MINIDL_ISA::fmod(a, b))
MINIDL_BINARY(remainder, a, b, MINIDL_ISA::remainder(a, b))
MINIDL_BINARY(hypot, a, b, MINIDL_ISA::hypot(a, b))
MINIDL_BINARY(relu_grad, g, result, result <= T(0) ? V{} : g)  // NaN passes g, as in PyTorch
MINIDL_BINARY(tanh_grad, g, result, g*(T(1) - result * result))
MINIDL_BINARY(sigmoid_grad, g, result, g*((T(1) - result) * result))
MINIDL_BINARY(erf_grad, g, x, g*(exp(-(x* x)) * T(1.12837916709551257390)))

MINIDL_UNARY(neg, -x)
MINIDL_UNARY(abs, absolute(x))
MINIDL_UNARY(sign, x > T(0) ? same<V>(1) : (x < T(0) ? same<V>(-1) : V{}))
MINIDL_UNARY(floor, lanewise<T>(x, [](T lane) { return std::floor(lane); }))
MINIDL_UNARY(ceil, lanewise<T>(x, [](T lane) { return std::ceil(lane); }))
MINIDL_UNARY(trunc, lanewise<T>(x, [](T lane) { return std::trunc(lane); }))
MINIDL_UNARY(rint, lanewise<T>(x, [](T lane) { return std::nearbyint(lane); }))
MINIDL_UNARY(square, x* x)
MINIDL_UNARY(cube, x* x* x)
MINIDL_UNARY(reciprocal, T(1) / x)
MINIDL_UNARY(sqrt, square_root(x))
MINIDL_UNARY(rsqrt, T(1) / square_root(x))
MINIDL_UNARY(relu, x < T(0) ? V{} : x)  // -0 and NaN stay, as in PyTorch
MINIDL_UNARY(exp, MINIDL_ISA::exp(x))
MINIDL_UNARY(expm1, MINIDL_ISA::expm1(x))
MINIDL_UNARY(log, MINIDL_ISA::log(x))
MINIDL_UNARY(log1p, MINIDL_ISA::log1p(x))
MINIDL_UNARY(tanh, MINIDL_ISA::tanh(x))
MINIDL_UNARY(sigmoid, MINIDL_ISA::sigmoid(x))
MINIDL_UNARY(sin, MINIDL_ISA::sin(x))
MINIDL_UNARY(cos, MINIDL_ISA::cos(x))
MINIDL_UNARY(erf, MINIDL_ISA::erf(x))
MINIDL_UNARY(erfc, MINIDL_ISA::erfc(x))
MINIDL_UNARY(erfinv, MINIDL_ISA::erfinv(x))
MINIDL_UNARY(lgamma, MINIDL_ISA::lgamma(x))
MINIDL_UNARY(digamma, MINIDL_ISA::digamma(x))

// numbers: what stands for NaN, infinity and -infinity
struct nan_to_num {
  template <typename V>
  static MINIDL_INLINE V of(V x, const Lane<V>* numbers) {
    constexpr Lane<V> kInfinity = std::numeric_limits<Lane<V>>::infinity();
    const V number = x == x ? x : same<V>(numbers[0]);
    const V below = x == kInfinity ? same<V>(numbers[1]) : number;
    return x == -kInfinity ? same<V>(numbers[2]) : below;
  }
};

}  // namespace
}  // namespace ops

#define MINIDL_ROW(name, ...) \
  .name = &run_elementwise<ops::name, ::minidl::cpu::elementwise_ops::name, T>,
MINIDL_FILL_TABLES(ElementwiseKernels, elementwise_kernels, MINIDL_ELEMENTWISE_OPS(MINIDL_ROW))

}  // namespace minidl::cpu::MINIDL_ISA
