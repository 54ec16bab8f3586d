// What the tensor-core kernels of convolution share: slabs of 16-bit elements in shared memory and
// the product of two of them by the warps of a block. For kernel files only.
#pragma once

#include "cuda/conv_tile.h"
#include "cuda/ptx/cp_async.h"
#include "cuda/ptx/ldmatrix.h"
#include "cuda/ptx/mma.h"

namespace minidl::cuda {

inline constexpr int conv_pack = 8;  // elements of 16 bytes: what is loaded at once

// Where pack `pack` of a row lies in a slab whose rows have `packs` packs. The packs of a row are
// permuted so that the 8 rows of an 8 x 8 matrix lie in different banks.
template <int packs>
__device__ __forceinline__ int slab_at(int row, int pack) {
  static_assert(packs == 4 || packs % 8 == 0, "rows of 64 bytes, or of whole 128");
  const int turn = packs == 4 ? row / 2 % 4 : row % 8;
  return (row * packs + (pack ^ turn)) * conv_pack;
}

// How a block's warps divide a tile: warps_m x warps_n of them, each m x n fragments of 16 x 8.
template <int warps_m_, int warps_n_, int m_, int n_>
struct WarpGrid {
  static constexpr int warps_m = warps_m_, warps_n = warps_n_, m = m_, n = n_;
  static constexpr int threads = warps_m * warps_n * warp_size;
  static constexpr int tile_m = warps_m * m * 16, tile_n = warps_n * n * 8;
  static_assert(n % 2 == 0, "two fragments of the second operand are loaded at once");

  using Sums = float[m][n][4];

  static __device__ __forceinline__ int first_m() {
    return static_cast<int>(threadIdx.x) / warp_size / warps_n * (m * 16);
  }
  static __device__ __forceinline__ int first_n() {
    return static_cast<int>(threadIdx.x) / warp_size % warps_n * (n * 8);
  }

  // sum += a b over 16 terms, with a fragments from load_a(registers, first row), and pairs of b
  // fragments from load_b(registers, first column).
  template <class T, class LoadA, class LoadB>
  static __device__ __forceinline__ void multiply(Sums& sum, LoadA load_a, LoadB load_b) {
    std::uint32_t a[m][4];
    MINIDL_UNROLL
    for (int i = 0; i < m; ++i) load_a(a[i], first_m() + 16 * i);
    MINIDL_UNROLL
    for (int j = 0; j < n; j += 2) {
      std::uint32_t pair[4];
      load_b(pair, first_n() + 8 * j);
      const std::uint32_t b[2][2] = {{pair[0], pair[1]}, {pair[2], pair[3]}};
      MINIDL_UNROLL
      for (int i = 0; i < m; ++i) {
        mma_m16n8k16<T>(sum[i][j], a[i], b[0]);
        mma_m16n8k16<T>(sum[i][j + 1], a[i], b[1]);
      }
    }
  }

  // Calls visit(row, column, sum) for the sums of this thread.
  template <class Visit>
  static __device__ __forceinline__ void for_each(const Sums& sum, Visit visit) {
    const int lane = static_cast<int>(threadIdx.x) % warp_size;
    MINIDL_UNROLL
    for (int i = 0; i < m; ++i) {
      MINIDL_UNROLL
      for (int j = 0; j < n; ++j) {
        MINIDL_UNROLL
        for (int e = 0; e < 4; ++e) {
          visit(first_m() + 16 * i + lane / 4 + e / 2 * 8, first_n() + 8 * j + lane % 4 * 2 + e % 2,
                sum[i][j][e]);
        }
      }
    }
  }
};

// Begins to bring a pack of terms of a pixel to shared memory.
template <class T>
__device__ __forceinline__ void copy_source(T* shared, const T* source, const ConvLayout& layout,
                                            const ConvPlace& pixel, const ConvPlace& term) {
  const bool inside = meet_inside(layout, pixel, term);
  cp_async<16>(shared, inside ? source + pixel.offset + term.offset : source, inside ? 16 : 0);
}

}  // namespace minidl::cuda
