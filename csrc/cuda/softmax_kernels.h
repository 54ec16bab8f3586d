// Between softmax.cpp, which plans, and the kernels softmax_<algorithm>.cu.
#pragma once

#include "cuda/pack.h"
#include "cuda/ptx/unroll.h"
#include "cuda/reduce_ops.h"
#include "cuda/softmax_select.h"
#include "cuda/stream.h"
#include "cuda/walk.h"

namespace minidl::cuda {

// An operation says what elements of a row, `sources` arrays of them, come to together (gather),
// how two such results become one (combine), and what is written from an element and the row's
// result (value). `padding` stands for elements beyond the row.

template <class T>
struct SoftmaxOp {
  using Element = T;
  using Real = accumulator_t<T>;
  using State = Exponentials<Real>;
  static constexpr int sources = 1;
  bool log;

  __device__ static Real padding() { return lowest<Real>(); }
  __device__ State identity() const { return {lowest<Real>(), Real(0)}; }
  template <int n>
  __device__ __forceinline__ State gather(const Real (&x)[1][n]) const {
    Real largest = x[0][0], sum = 0;
    MINIDL_UNROLL
    for (int k = 1; k < n; ++k) largest = beats(x[0][k], largest) ? x[0][k] : largest;
    MINIDL_UNROLL
    for (int k = 0; k < n; ++k)  // equal ones may be infinite, whose difference is NaN
      sum += x[0][k] == largest ? Real(1) : std::exp(x[0][k] - largest);
    return {largest, sum};
  }
  __device__ State combine(const State& a, const State& b) const {
    return LogSumExpOp<T>{}.combine(a, b);
  }
  // What value() divides by or subtracts. NaN where the largest is not finite: so is the row.
  __device__ State settle(const State& a) const {
    return {a.largest, (log ? std::log(a.sum) : a.sum) + (a.largest - a.largest)};
  }
  template <int n>
  __device__ __forceinline__ Real value(const Real (&x)[1][n], int k, const State& row) const {
    const Real shifted = x[0][k] - row.largest;
    return log ? shifted - row.sum : std::exp(shifted) / row.sum;
  }
};

// Sources: the gradient of the output, the output.
template <class T>
struct SoftmaxGradOp {
  using Element = T;
  using Real = accumulator_t<T>;
  using State = Real;
  static constexpr int sources = 2;
  bool log;

  __device__ static Real padding() { return Real(0); }
  __device__ State identity() const { return Real(0); }
  template <int n>
  __device__ __forceinline__ State gather(const Real (&x)[2][n]) const {
    Real sum = 0;
    MINIDL_UNROLL
    for (int k = 0; k < n; ++k) sum += log ? x[0][k] : x[0][k] * x[1][k];
    return sum;
  }
  __device__ State combine(State a, State b) const { return a + b; }
  __device__ State settle(State a) const { return a; }
  template <int n>
  __device__ __forceinline__ Real value(const Real (&x)[2][n], int k, State row) const {
    return log ? x[0][k] - std::exp(x[1][k]) * row : x[1][k] * (x[0][k] - row);
  }
};

template <class Op>
struct SoftmaxArrays {
  using T = typename Op::Element;
  using Real = typename Op::Real;
  Op op;
  const T* source[Op::sources];
  T* output;
  Walk<Op::sources + 1> rows;  // of the sources and the output over the other axes
  std::int64_t length;
  std::int64_t stride[Op::sources + 1];  // along a row
  bool packs;                            // every row is dense and whole packs, which are aligned

  // Elements first, first + step, ...; padding from `length` on.
  template <int n>
  __device__ __forceinline__ void load(const Offsets<Op::sources + 1>& row, std::int64_t first,
                                       std::int64_t step, Real (&x)[Op::sources][n]) const {
    MINIDL_UNROLL
    for (int s = 0; s < Op::sources; ++s) {
      MINIDL_UNROLL
      for (int k = 0; k < n; ++k) {
        const std::int64_t i = first + k * step;
        x[s][k] =
            i < length ? static_cast<Real>(source[s][row.in[s] + i * stride[s]]) : Op::padding();
      }
    }
  }
  template <int n>
  __device__ __forceinline__ void store(const Offsets<Op::sources + 1>& row, std::int64_t first,
                                        std::int64_t step, const Real (&x)[Op::sources][n],
                                        const typename Op::State& state) const {
    MINIDL_UNROLL
    for (int k = 0; k < n; ++k) {
      const std::int64_t i = first + k * step;
      if (i < length) {
        output[row.in[Op::sources] + i * stride[Op::sources]] =
            static_cast<T>(op.value(x, k, state));
      }
    }
  }

  using P = Pack<T>;
  // The pack that starts at element `first`; padding from `length` on.
  __device__ __forceinline__ void load_packed(const Offsets<Op::sources + 1>& row,
                                              std::int64_t first,
                                              Real (&x)[Op::sources][P::size]) const {
    MINIDL_UNROLL
    for (int s = 0; s < Op::sources; ++s) {
      P pack;
      if (first < length) pack = load_pack<P>(source[s] + row.in[s] + first);
      MINIDL_UNROLL
      for (int k = 0; k < P::size; ++k)
        x[s][k] = first < length ? static_cast<Real>(pack[k]) : Op::padding();
    }
  }
  __device__ __forceinline__ void store_packed(const Offsets<Op::sources + 1>& row,
                                               std::int64_t first,
                                               const Real (&x)[Op::sources][P::size],
                                               const typename Op::State& state) const {
    if (first >= length) return;
    P pack;
    MINIDL_UNROLL
    for (int k = 0; k < P::size; ++k) pack[k] = static_cast<T>(op.value(x, k, state));
    store_pack(output + row.in[Op::sources] + first, pack);
  }
};

// Elements that a thread of softmax_held keeps.
template <class T>
inline constexpr int softmax_held_elements = sizeof(T) == 8 ? 8 : 16;

template <class Op>
void softmax_held(const SoftmaxArrays<Op>& arrays, const SoftmaxConfig& config, Stream stream);
template <class Op>
void softmax_streamed(const SoftmaxArrays<Op>& arrays, const SoftmaxConfig& config, Stream stream);
template <class Op>
void softmax_across(const SoftmaxArrays<Op>& arrays, const SoftmaxConfig& config, Stream stream);

// X(operation, element type)
#define MINIDL_SOFTMAXES(X) MINIDL_FLOATING(X, SoftmaxOp) MINIDL_FLOATING(X, SoftmaxGradOp)

}  // namespace minidl::cuda
