// Two sums that are added up together.
#pragma once

#include "cuda/ptx/warp.h"

namespace minidl::cuda {

template <class T>
struct TwoSums {
  T first, second;
};
template <class T>
__device__ __forceinline__ TwoSums<T> shuffle_xor(const TwoSums<T>& a, int mask) {
  return {shuffle_xor(a.first, mask), shuffle_xor(a.second, mask)};
}

template <class T>
struct TwoSumsOp {
  __device__ TwoSums<T> identity() const { return {T(0), T(0)}; }
  __device__ TwoSums<T> combine(const TwoSums<T>& a, const TwoSums<T>& b) const {
    return {a.first + b.first, a.second + b.second};
  }
};

}  // namespace minidl::cuda
