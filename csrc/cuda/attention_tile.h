// What the attention kernels share: tiles of rows in shared memory, and the scores of one tile of
// queries with one of keys.
//
// A block has 16 x 16 threads. Thread (y, x) owns the elements (y + 16 i, x + 16 j) of every tile
// it computes, so the 16 threads of a row are neighbours in a warp.
#pragma once

#include <cmath>

#include "cuda/attention_kernels.h"
#include "cuda/ptx/unroll.h"
#include "cuda/ptx/warp.h"

namespace minidl::cuda {

inline constexpr int tile_side = 16, tile_threads = tile_side * tile_side;

// One element of padding puts the rows that a warp reads at once into different banks.
constexpr int pitch_of(int width) { return width + 1; }

// Rows of [rows_left, columns] to tile[row][column], zeros beyond, in the type of the sums.
template <int rows, int width, class T, class Sum>
__device__ __forceinline__ void load_tile(Sum* tile, const T* source,
                                          const AttentionStrides& strides, std::int64_t rows_left,
                                          std::int64_t columns) {
  for (int i = threadIdx.x; i < rows * width; i += tile_threads) {
    const int row = i / width, column = i % width;
    const bool inside = row < rows_left && column < columns;
    tile[row * pitch_of(width) + column] =
        inside ? static_cast<Sum>(source[row * strides.row + column * strides.column]) : Sum(0);
  }
}

// product[i][j] = sum over k of a[y + 16 i][k] b[x + 16 j][k]
template <int width, int per_row, int per_column, class Sum>
__device__ __forceinline__ void multiply_rows(const Sum* a, const Sum* b,
                                              Sum (&product)[per_row][per_column]) {
  const int y = threadIdx.x / tile_side, x = threadIdx.x % tile_side;
  MINIDL_UNROLL
  for (int i = 0; i < per_row; ++i) {
    MINIDL_UNROLL
    for (int j = 0; j < per_column; ++j) product[i][j] = Sum(0);
  }
  for (int k = 0; k < width; ++k) {
    Sum left[per_row], right[per_column];
    MINIDL_UNROLL
    for (int i = 0; i < per_row; ++i) left[i] = a[(y + i * tile_side) * pitch_of(width) + k];
    MINIDL_UNROLL
    for (int j = 0; j < per_column; ++j) right[j] = b[(x + j * tile_side) * pitch_of(width) + k];
    MINIDL_UNROLL
    for (int i = 0; i < per_row; ++i) {
      MINIDL_UNROLL
      for (int j = 0; j < per_column; ++j) product[i][j] += left[i] * right[j];
    }
  }
}

// sum[i][j] += sum over k of weights(y + 16 i, k) values[k][x + 16 j]; weights lie at row *
// row_step + k * k_step.
template <int depth, int width, int per_row, class Sum>
__device__ __forceinline__ void add_weighted(const Sum* weights, int row_step, int k_step,
                                             const Sum* values,
                                             Sum (&sum)[per_row][width / tile_side]) {
  const int y = threadIdx.x / tile_side, x = threadIdx.x % tile_side;
  for (int k = 0; k < depth; ++k) {
    Sum left[per_row];
    MINIDL_UNROLL
    for (int i = 0; i < per_row; ++i)
      left[i] = weights[(y + i * tile_side) * row_step + k * k_step];
    MINIDL_UNROLL
    for (int j = 0; j < width / tile_side; ++j) {
      const Sum value = values[k * pitch_of(width) + x + j * tile_side];
      MINIDL_UNROLL
      for (int i = 0; i < per_row; ++i) sum[i][j] += left[i] * value;
    }
  }
}

// From a product of features to a score: scaled, with the bias, -infinity where the query does not
// look.
template <class T, class Sum = accumulator_t<T>>
__device__ __forceinline__ Sum score(const AttentionOperands<T>& o, const T* bias, Sum product,
                                     std::int64_t query, std::int64_t key) {
  if (query >= o.queries || key >= o.keys || (o.causal && key > query)) return -Sum(INFINITY);
  product *= o.scale;
  if (bias == nullptr) return product;
  const AttentionStrides& step = o.strides[in_bias];
  return product + static_cast<Sum>(bias[query * step.row + key * step.column]);
}

// The probability of a score, given the logarithm of the sum of its row's exponentials.
template <class Sum>
__device__ __forceinline__ Sum probability(Sum score, Sum lse) {
  return score == -Sum(INFINITY) ? Sum(0) : std::exp(score - lse);
}

// The largest value and the sum over the 16 threads of a row.
template <class Sum>
__device__ __forceinline__ Sum row_max(Sum value) {
  for (int mask = tile_side / 2; mask > 0; mask /= 2) {
    const Sum other = shuffle_xor(value, mask);
    value = other > value || other != other ? other : value;
  }
  return value;
}
template <class Sum>
__device__ __forceinline__ Sum row_sum(Sum value) {
  for (int mask = tile_side / 2; mask > 0; mask /= 2) value += shuffle_xor(value, mask);
  return value;
}

// Writes sum[i][j] to the dense matrix target [rows, columns] from row `first` on.
template <int width, int per_row, class T, class Sum>
__device__ __forceinline__ void store_rows(T* target, const Sum (&sum)[per_row][width / tile_side],
                                           std::int64_t first, std::int64_t rows,
                                           std::int64_t columns) {
  const int y = threadIdx.x / tile_side, x = threadIdx.x % tile_side;
  MINIDL_UNROLL
  for (int i = 0; i < per_row; ++i) {
    const std::int64_t row = first + y + i * tile_side;
    MINIDL_UNROLL
    for (int j = 0; j < width / tile_side; ++j) {
      const int column = x + j * tile_side;
      if (row < rows && column < columns) target[row * columns + column] = T(sum[i][j]);
    }
  }
}

}  // namespace minidl::cuda
