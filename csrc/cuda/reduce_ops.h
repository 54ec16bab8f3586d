// What the reductions and scans compute. An operation says what an element brings (load), how two
// partial results become one (combine: associative, commutative), and what is written (finish).
#pragma once

#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "common/half.h"
#include "cuda/ptx/warp.h"

namespace minidl::cuda {

// Sums and products: float for 16 bits, unsigned for integers, which wrap around.
template <class T>
using arithmetic_t =
    typename std::conditional_t<std::is_integral_v<T>, std::make_unsigned<T>, Accumulator<T>>::type;
// Comparisons: as arithmetic, but signed, and 32 bits at least.
template <class T>
using comparable_t =
    std::conditional_t<std::is_integral_v<T> && sizeof(T) < 4, std::int32_t, accumulator_t<T>>;

template <class T>
__device__ __forceinline__ bool is_nan(T value) {
  if constexpr (std::is_floating_point_v<T>) return value != value;
  return false;
}

// The value that loses against every other.
template <class T>
__device__ __forceinline__ T lowest() {
  using Limits = std::numeric_limits<T>;
  return Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
}

// Turns the order of values around: the smallest is the largest of the reversed. Not by negation,
// which the lowest integer has not.
template <class T>
__device__ __forceinline__ T reversed(T value, bool reverse) {
  if constexpr (std::is_floating_point_v<T>) {
    return reverse ? -value : value;
  } else {
    return reverse ? ~value : value;
  }
}

template <class T>
struct SumOp {
  using Input = T;
  using State = arithmetic_t<T>;
  using Output = T;
  __device__ State identity() const { return State(0); }
  __device__ State load(T x, std::int64_t) const { return static_cast<State>(x); }
  __device__ State combine(State a, State b) const { return a + b; }
  __device__ T finish(State a) const { return static_cast<T>(a); }
};

template <class T>
struct SumSquaresOp : SumOp<T> {
  using State = typename SumOp<T>::State;
  __device__ State load(T x, std::int64_t) const {
    return static_cast<State>(x) * static_cast<State>(x);
  }
};

template <class T>
struct ProdOp : SumOp<T> {
  using State = typename SumOp<T>::State;
  __device__ State identity() const { return State(1); }
  __device__ State combine(State a, State b) const { return a * b; }
};

// The largest value, or the smallest where `smallest`; NaN wins.
template <class T>
struct ExtremeOp {
  using Input = T;
  using State = comparable_t<T>;
  using Output = T;
  bool smallest;
  __device__ State identity() const { return lowest<State>(); }
  __device__ State load(T x, std::int64_t) const {
    return reversed(static_cast<State>(x), smallest);
  }
  __device__ State combine(State a, State b) const { return is_nan(a) || a > b ? a : b; }
  __device__ T finish(State a) const { return static_cast<T>(reversed(a, smallest)); }
};

// A value and where it stood.
template <class T>
struct Placed {
  T value;
  std::int64_t place;
};
template <class T>
__device__ __forceinline__ Placed<T> shuffle_xor(const Placed<T>& a, int mask) {
  return {shuffle_xor(a.value, mask), shuffle_xor(a.place, mask)};
}
template <class T>
__device__ __forceinline__ Placed<T> shuffle_up(const Placed<T>& a, unsigned delta) {
  return {shuffle_up(a.value, delta), shuffle_up(a.place, delta)};
}
template <class T>
__device__ __forceinline__ Placed<T> shuffle(const Placed<T>& a, int source) {
  return {shuffle(a.value, source), shuffle(a.place, source)};
}

// Whether a is larger than b, NaN being the largest value.
template <class T>
__device__ __forceinline__ bool beats(T a, T b) {
  return is_nan(a) ? !is_nan(b) : a > b;
}

// The place of the largest value, or the smallest: of equal ones the first; NaN wins.
template <class T>
struct PlaceOp {
  using Input = T;
  using State = Placed<comparable_t<T>>;
  using Output = std::int64_t;
  bool smallest;
  __device__ State identity() const {
    return {lowest<comparable_t<T>>(), std::numeric_limits<std::int64_t>::max()};
  }
  __device__ State load(T x, std::int64_t place) const {
    return {reversed(static_cast<comparable_t<T>>(x), smallest), place};
  }
  __device__ State combine(const State& a, const State& b) const {
    const bool first = beats(a.value, b.value) || (!beats(b.value, a.value) && a.place < b.place);
    return {first ? a.value : b.value, first ? a.place : b.place};
  }
  __device__ std::int64_t finish(const State& a) const { return a.place; }
};

// Whether an element is not zero; where `all`, whether every one is: none is zero.
template <class T>
struct TruthOp {
  using Input = T;
  using State = std::int32_t;
  using Output = std::uint8_t;
  bool all;
  __device__ State identity() const { return 0; }
  __device__ State load(T x, std::int64_t) const {
    return (static_cast<comparable_t<T>>(x) != 0) != all;
  }
  __device__ State combine(State a, State b) const { return a | b; }
  __device__ std::uint8_t finish(State a) const { return (a != 0) != all; }
};

// How many elements are not zero.
template <class T>
struct CountOp {
  using Input = T;
  using State = std::int64_t;
  using Output = std::int64_t;
  __device__ State identity() const { return 0; }
  __device__ State load(T x, std::int64_t) const { return static_cast<comparable_t<T>>(x) != 0; }
  __device__ State combine(State a, State b) const { return a + b; }
  __device__ std::int64_t finish(State a) const { return a; }
};

// A sum of exponentials: sum exp(largest).
template <class T>
struct Exponentials {
  T largest, sum;
};
template <class T>
__device__ __forceinline__ Exponentials<T> shuffle_xor(const Exponentials<T>& a, int mask) {
  return {shuffle_xor(a.largest, mask), shuffle_xor(a.sum, mask)};
}
template <class T>
__device__ __forceinline__ Exponentials<T> shuffle_up(const Exponentials<T>& a, unsigned delta) {
  return {shuffle_up(a.largest, delta), shuffle_up(a.sum, delta)};
}
template <class T>
__device__ __forceinline__ Exponentials<T> shuffle(const Exponentials<T>& a, int source) {
  return {shuffle(a.largest, source), shuffle(a.sum, source)};
}

// log sum exp(x), without overflow: infinities are terms like others.
template <class T>
struct LogSumExpOp {
  using Input = T;
  using Real = accumulator_t<T>;
  using State = Exponentials<Real>;
  using Output = T;
  __device__ State identity() const { return {lowest<Real>(), Real(0)}; }
  __device__ State load(T x, std::int64_t) const { return {static_cast<Real>(x), Real(1)}; }
  __device__ State combine(const State& a, const State& b) const {
    const bool first = beats(a.largest, b.largest);
    const Real more = first ? a.largest : b.largest, less = first ? b.largest : a.largest;
    // Equal ones may be infinite, whose difference is NaN.
    const Real scale = less == more ? Real(1) : std::exp(less - more);
    return {more, first ? a.sum + b.sum * scale : b.sum + a.sum * scale};
  }
  __device__ T finish(const State& a) const { return static_cast<T>(a.largest + std::log(a.sum)); }
};

// Which operations exist for which elements; bools are bytes. X(operation, element type)
// clang-format off
#define MINIDL_FLOATING(X, Op) X(Op, Half) X(Op, BFloat16) X(Op, float) X(Op, double)
#define MINIDL_SUMMED(X, Op) MINIDL_FLOATING(X, Op) X(Op, std::int64_t)
#define MINIDL_COMPARED(X, Op) MINIDL_SUMMED(X, Op) X(Op, std::int32_t) X(Op, std::uint8_t)
#define MINIDL_REDUCTIONS(X)                                                            \
  MINIDL_SUMMED(X, SumOp) MINIDL_FLOATING(X, SumSquaresOp) MINIDL_SUMMED(X, ProdOp)     \
  MINIDL_COMPARED(X, ExtremeOp) MINIDL_COMPARED(X, PlaceOp) MINIDL_COMPARED(X, TruthOp) \
  MINIDL_COMPARED(X, CountOp) MINIDL_FLOATING(X, LogSumExpOp)
// clang-format on

}  // namespace minidl::cuda
