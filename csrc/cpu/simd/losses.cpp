#include "cpu/elementwise.h"
#include "cpu/simd/elementwise_run.h"
#include "cpu/simd/math.h"

namespace minidl::cpu::MINIDL_ISA {
namespace ops {
namespace {

struct squared_error {
  template <typename V>
  static MINIDL_INLINE V of(V x, V t) {
    return (x - t) * (x - t);
  }
};
struct absolute_error {
  template <typename V>
  static MINIDL_INLINE V of(V x, V t) {
    return absolute(x - t);
  }
};
struct smooth_l1_error {
  template <typename V>
  static MINIDL_INLINE V of(V x, V t, const Lane<V>* beta) {
    using T = Lane<V>;
    const V distance = absolute(x - t);
    return distance < beta[0] ? distance * distance * (T(0.5) / beta[0])
                              : distance - T(0.5) * beta[0];
  }
};
struct huber_error {
  template <typename V>
  static MINIDL_INLINE V of(V x, V t, const Lane<V>* delta) {
    using T = Lane<V>;
    const V distance = absolute(x - t);
    return distance <= delta[0] ? distance * distance * T(0.5)
                                : (distance - T(0.5) * delta[0]) * delta[0];
  }
};
struct logits_error {
  template <typename V>
  static MINIDL_INLINE V of(V x, V t) {
    using T = Lane<V>;
    const V softplus = log1p_in_unit(exp(-absolute(x))) - (x < T(0) ? x : V{});
    return (T(1) - t) * x + softplus;
  }
};

}  // namespace
}  // namespace ops

#define MINIDL_ROW(name, ...) \
  .name = &run_elementwise<ops::name, ::minidl::cpu::elementwise_ops::name, T>,
MINIDL_FILL_TABLES(LossKernels, loss_kernels, MINIDL_LOSSES(MINIDL_ROW))

}  // namespace minidl::cpu::MINIDL_ISA
