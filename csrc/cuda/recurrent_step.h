// What the kernels of recurrent steps share: a thread computes one feature of one batch row, all
// gates of it, so nothing between the products and the new state goes through memory.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "common/half.h"
#include "cuda/launch_shape.h"
#include "cuda/ptx/unroll.h"
#include "cuda/recurrent_kernels.h"

namespace minidl::cuda {

constexpr int step_threads = 128;

// A block takes up to step_threads features of one row.
inline LaunchShape step_shape(const StepSize& size) {
  const std::int64_t warps = std::min<std::int64_t>((size.features + 31) / 32, step_threads / 32);
  const std::int64_t threads = std::max<std::int64_t>(warps, 1) * 32;
  return {.grid = {size.batch, (size.features + threads - 1) / threads}, .block = {threads}};
}

// The row and the feature of this thread.
struct StepPlace {
  std::int64_t n, k;
  bool inside;

  explicit __device__ __forceinline__ StepPlace(const StepSize& size)
      : n(blockIdx.x),
        k(blockIdx.y * static_cast<std::int64_t>(blockDim.x) + threadIdx.x),
        inside(k < size.features) {}
};

template <class T>
__device__ __forceinline__ T& at(const Matrix<T>& m, std::int64_t row, std::int64_t column) {
  return m.data[row * m.row + column * m.column];
}

// An element as it is computed with, 0 where there is no matrix.
template <class T>
__device__ __forceinline__ accumulator_t<T> value(const Matrix<const T>& m, std::int64_t row,
                                                  std::int64_t column) {
  return m.data ? static_cast<accumulator_t<T>>(at(m, row, column)) : accumulator_t<T>(0);
}

template <class C>
__device__ __forceinline__ C logistic(C z) {
  return C(1) / (C(1) + std::exp(-z));
}

}  // namespace minidl::cuda
