// Walks contiguous memory by vectors, the last of which may be filled in part.
#pragma once

#include <type_traits>

#include "cpu/simd/vec.h"

namespace minidl::cpu::MINIDL_ISA {

// Which lanes of a vector hold elements: all, or the first few.
struct Whole {};
struct Part {
  int64_t lanes;
};

template <typename T>
MINIDL_INLINE Vec<T> load(const T* from, Whole, T = T(0)) {
  return load(from);
}
template <typename T>
MINIDL_INLINE Vec<T> load(const T* from, Part part, T rest = T(0)) {
  return load_n(from, part.lanes, rest);
}
template <typename T>
MINIDL_INLINE void store(T* to, Whole, Vec<T> v) {
  store(to, v);
}
template <typename T>
MINIDL_INLINE void store(T* to, Part part, Vec<T> v) {
  store_n(to, part.lanes, v);
}
// v, with `rest` in the lanes that hold no element.
template <typename T>
MINIDL_INLINE Vec<T> only(Vec<T> v, Whole, T) {
  return v;
}
template <typename T>
MINIDL_INLINE Vec<T> only(Vec<T> v, Part part, T rest) {
  T lanes[kLanes<T>];
  store(lanes, v);
  return load_n(lanes, part.lanes, rest);
}

// Chains of operations that one loop keeps going, so that it does not wait for each of them.
inline constexpr int kChains = 4;
template <int I>
using Chain = std::integral_constant<int, I>;

// Calls body(i, lanes, chain) for i = 0, kLanes, 2 kLanes, ... < size: `lanes` says how much of the
// vector at i lies inside, `chain` which of kChains accumulators is its.
template <typename T, typename Body>
MINIDL_INLINE void sweep(int64_t size, const Body& body) {
  constexpr int64_t step = kLanes<T>;
  int64_t i = 0;
  for (; i + kChains * step <= size; i += kChains * step) {
    body(i, Whole{}, Chain<0>{});
    body(i + step, Whole{}, Chain<1>{});
    body(i + 2 * step, Whole{}, Chain<2>{});
    body(i + 3 * step, Whole{}, Chain<3>{});
  }
  for (; i + step <= size; i += step) body(i, Whole{}, Chain<0>{});
  if (i < size) body(i, Part{size - i}, Chain<1>{});
}

// A sum over a sweep.
template <typename T>
struct Chains {
  Vec<T> of[kChains] = {};

  template <int I>
  MINIDL_INLINE Vec<T>& operator[](Chain<I>) {
    return of[I];
  }
  MINIDL_INLINE T sum() const { return sum_lanes<T>((of[0] + of[1]) + (of[2] + of[3])); }
};

}  // namespace minidl::cpu::MINIDL_ISA
