// What the scans compute beside the operations of reductions (reduce_ops.h).
#pragma once

#include "cuda/reduce_ops.h"

namespace minidl::cuda {

// The largest value so far, or the smallest, and its place: of equal ones the last; NaN wins.
template <class T>
struct RunningOp {
  using Input = T;
  using State = Placed<comparable_t<T>>;
  using Output = T;
  bool smallest;
  __device__ State identity() const { return {lowest<comparable_t<T>>(), -1}; }
  __device__ State load(T x, std::int64_t place) const {
    return {reversed(static_cast<comparable_t<T>>(x), smallest), place};
  }
  __device__ State combine(const State& a, const State& b) const {
    const bool first = beats(a.value, b.value) || (!beats(b.value, a.value) && a.place > b.place);
    return {first ? a.value : b.value, first ? a.place : b.place};
  }
  __device__ T finish(const State& a) const { return static_cast<T>(reversed(a.value, smallest)); }
};

template <class Op>
inline constexpr bool has_places = false;
template <class T>
inline constexpr bool has_places<RunningOp<T>> = true;

// clang-format off
#define MINIDL_SCANS(X)                                                                        \
  MINIDL_SUMMED(X, SumOp) MINIDL_SUMMED(X, ProdOp) MINIDL_COMPARED(X, RunningOp)               \
  MINIDL_FLOATING(X, LogSumExpOp)
// clang-format on

}  // namespace minidl::cuda
