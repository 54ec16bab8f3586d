// Count, mean and sum of squared distances from it, of values that are added up in parts.
// Source: T. Chan, G. Golub, R. LeVeque, "Updating formulae and a pairwise algorithm for computing
// sample variances", 1979.
#pragma once

#include "cuda/ptx/unroll.h"
#include "cuda/ptx/warp.h"

namespace minidl::cuda {

template <class T>
struct Moments {
  T count, mean, squares;
};
template <class T>
__device__ __forceinline__ Moments<T> shuffle_xor(const Moments<T>& a, int mask) {
  return {shuffle_xor(a.count, mask), shuffle_xor(a.mean, mask), shuffle_xor(a.squares, mask)};
}

template <class T>
struct MomentsOp {
  __device__ Moments<T> identity() const { return {T(0), T(0), T(0)}; }
  __device__ __forceinline__ Moments<T> combine(const Moments<T>& a, const Moments<T>& b) const {
    if (b.count == 0) return a;
    if (a.count == 0) return b;
    const T count = a.count + b.count, distance = b.mean - a.mean, share = b.count / count;
    return {count, a.mean + distance * share,
            a.squares + b.squares + distance * distance * a.count * share};
  }
  // Of the first `count` of n values.
  template <int n>
  __device__ __forceinline__ Moments<T> of(const T (&x)[n], int count) const {
    T sum = 0, squares = 0;
    MINIDL_UNROLL
    for (int k = 0; k < n; ++k) sum += k < count ? x[k] : T(0);
    const T mean = count == n ? sum * (T(1) / n) : sum / static_cast<T>(count);
    MINIDL_UNROLL
    for (int k = 0; k < n; ++k) squares += k < count ? (x[k] - mean) * (x[k] - mean) : T(0);
    return {static_cast<T>(count), mean, squares};
  }
};

}  // namespace minidl::cuda
