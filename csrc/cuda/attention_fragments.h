// What the tensor-core kernels of attention share: tiles of 16-bit rows in shared memory, and the
// fragments of mma.
//
// A block has 4 warps. Each owns 16 rows of its tile of 64; mma gives a lane the rows group = lane
// / 4 and group + 8, and of every 8 columns the two from pair = lane % 4 * 2 on.
#pragma once

#include <cmath>

#include "cuda/attention_kernels.h"
#include "cuda/pack.h"
#include "cuda/ptx/cp_async.h"
#include "cuda/ptx/ldmatrix.h"
#include "cuda/ptx/mma.h"
#include "cuda/ptx/unroll.h"
#include "cuda/ptx/warp.h"

namespace minidl::cuda {

inline constexpr int mma_warps = 4, mma_block = mma_warps * warp_size, mma_rows = 16 * mma_warps;
inline constexpr int chunk = 8;  // elements of 16 bytes, what ldmatrix and cp.async move

inline constexpr float log2_e = 1.4426950408889634f, ln_2 = 0.6931471805599453f;

// Where a chunk of a row lies. Chunks are permuted within groups of eight 16-byte banks, so that
// the eight rows that ldmatrix reads at once lie in different banks.
template <int width>
__device__ __forceinline__ int chunk_at(int row, int index) {
  constexpr int chunks = width / chunk;
  static_assert(chunks >= 4, "a row is at least 64 bytes");
  const int turn = chunks >= 8 ? row % 8 : row / 2 % 4;
  return row * width + (index ^ turn) * chunk;
}

// Starts copies of rows of [rows_left, columns] into a tile, zeros beyond. `packed`: every row
// starts at a multiple of 16 bytes and is dense; else elements are moved one by one, at once.
template <int rows, int width, class T>
__device__ __forceinline__ void load_half_tile(T* tile, const T* source,
                                               const AttentionStrides& strides, bool packed,
                                               std::int64_t rows_left, std::int64_t columns) {
  constexpr int chunks = width / chunk;
  for (int i = threadIdx.x; i < rows * chunks; i += mma_block) {
    const int row = i / chunks, first = i % chunks * chunk;
    const std::int64_t left = row < rows_left ? columns - first : 0;
    const int count = left <= 0 ? 0 : left < chunk ? static_cast<int>(left) : chunk;
    T* target = tile + chunk_at<width>(row, i % chunks);
    const T* from = source + row * strides.row + first * strides.column;
    if (packed) {
      cp_async<16>(target, count ? from : source, count * static_cast<int>(sizeof(T)));
    } else {
      Pack<T> values;
      MINIDL_UNROLL
      for (int e = 0; e < chunk; ++e) values[e] = e < count ? from[e * strides.column] : T(0.0f);
      store_pack(target, values);
    }
  }
}

// The warp's 16 rows of a tile, columns 16 step .. 16 step + 15, as operand a.
template <int width, class T>
__device__ __forceinline__ void load_a(std::uint32_t (&a)[4], const T* tile, int step) {
  const int lane = threadIdx.x % warp_size, matrix = lane / 8;
  const int row = threadIdx.x / warp_size * 16 + matrix % 2 * 8 + lane % 8;
  ldmatrix(a, tile + chunk_at<width>(row, 2 * step + matrix / 2));
}

// Rows first .. first + 15 of a tile as the columns of two operands b: [0], [1] of the first eight,
// [2], [3] of the others.
template <int width, class T>
__device__ __forceinline__ void load_b_rows(std::uint32_t (&b)[4], const T* tile, int first,
                                            int step) {
  const int lane = threadIdx.x % warp_size, matrix = lane / 8;
  ldmatrix(b, tile + chunk_at<width>(first + matrix / 2 * 8 + lane % 8, 2 * step + matrix % 2));
}

// Rows 16 step .. 16 step + 15 of a tile as the depth of two operands b, of columns 8 pair_of .. 8
// pair_of + 15.
template <int width, class T>
__device__ __forceinline__ void load_b_columns(std::uint32_t (&b)[4], const T* tile, int step,
                                               int first_chunk) {
  const int lane = threadIdx.x % warp_size, matrix = lane / 8;
  ldmatrix_trans(
      b, tile + chunk_at<width>(step * 16 + matrix % 2 * 8 + lane % 8, first_chunk + matrix / 2));
}

// product[n] = own rows (operand a, from a tile) times 8 rows n of another tile, over all features.
template <int width, int tiles, class T>
__device__ __forceinline__ void multiply_tiles(float (&product)[tiles][4], const T* own,
                                               const T* other) {
  MINIDL_UNROLL
  for (int n = 0; n < tiles; ++n) {
    MINIDL_UNROLL
    for (int e = 0; e < 4; ++e) product[n][e] = 0.0f;
  }
  MINIDL_UNROLL
  for (int step = 0; step < width / 16; ++step) {
    std::uint32_t a[4];
    load_a<width>(a, own, step);
    MINIDL_UNROLL
    for (int n = 0; n < tiles; n += 2) {
      std::uint32_t b[4];
      load_b_rows<width>(b, other, 8 * n, step);
      mma_m16n8k16<T>(product[n], a, {b[0], b[1]});
      mma_m16n8k16<T>(product[n + 1], a, {b[2], b[3]});
    }
  }
}

// Two floats as neighbours in a register of 16-bit elements.
template <class T>
__device__ __forceinline__ std::uint32_t pair_of(float low, float high) {
  return static_cast<std::uint32_t>(T(low).bits) | static_cast<std::uint32_t>(T(high).bits) << 16;
}

// sum += weights times a tile, the weights [own rows, 8 tiles] as mma left them: sums are operands
// a without a move.
template <int width, int tiles, class T>
__device__ __forceinline__ void add_products(float (&sum)[width / 8][4],
                                             const float (&weights)[tiles][4], const T* other) {
  MINIDL_UNROLL
  for (int step = 0; step < tiles / 2; ++step) {
    const auto& left = weights[2 * step];
    const auto& right = weights[2 * step + 1];
    const std::uint32_t a[4] = {pair_of<T>(left[0], left[1]), pair_of<T>(left[2], left[3]),
                                pair_of<T>(right[0], right[1]), pair_of<T>(right[2], right[3])};
    MINIDL_UNROLL
    for (int n = 0; n < width / 8; n += 2) {
      std::uint32_t b[4];
      load_b_columns<width>(b, other, step, n);
      mma_m16n8k16<T>(sum[n], a, {b[0], b[1]});
      mma_m16n8k16<T>(sum[n + 1], a, {b[2], b[3]});
    }
  }
}

// The row, from 0 to 63, and the column within 8 of element e of a lane's four.
__device__ __forceinline__ int row_of(int e) {
  return threadIdx.x / warp_size * 16 + threadIdx.x % warp_size / 4 + e / 2 * 8;
}
__device__ __forceinline__ int column_of(int e) { return threadIdx.x % 4 * 2 + e % 2; }

// The largest value and the sum over the four lanes of a row.
__device__ __forceinline__ float quad_max(float value) {
  for (int mask = 1; mask < 4; mask *= 2) {
    const float other = shuffle_xor(value, mask);
    value = other > value || other != other ? other : value;
  }
  return value;
}
__device__ __forceinline__ float quad_sum(float value) {
  for (int mask = 1; mask < 4; mask *= 2) value += shuffle_xor(value, mask);
  return value;
}

// Whether a query looks at a key.
template <class T>
__device__ __forceinline__ bool sees(const AttentionOperands<T>& o, std::int64_t query,
                                     std::int64_t key) {
  return query < o.queries && key < o.keys && (!o.causal || key <= query);
}

// Writes sums to the dense matrix target [rows, columns] from row `first` on.
template <int width, class T>
__device__ __forceinline__ void store_sums(T* target, const float (&sum)[width / 8][4],
                                           std::int64_t first, std::int64_t rows,
                                           std::int64_t columns) {
  MINIDL_UNROLL
  for (int e = 0; e < 4; ++e) {
    const std::int64_t row = first + row_of(e);
    MINIDL_UNROLL
    for (int n = 0; n < width / 8; ++n) {
      const int column = 8 * n + column_of(e);
      if (row < rows && column < columns) target[row * columns + column] = T(sum[n][e]);
    }
  }
}

}  // namespace minidl::cuda
