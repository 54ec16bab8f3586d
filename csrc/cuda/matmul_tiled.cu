// Matrix product by tiles in shared memory: a block computes one tile of the output, step by step
// over k. A step loads a slab of a and a slab of b, each element once, and every thread multiplies
// its rows with its columns in registers. Sums are kept in the type of the operands.
#include "cuda/launch.h"
#include "cuda/matmul_kernels.h"
#include "cuda/ptx/shared.h"
#include "cuda/ptx/unroll.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// The tile is chosen in matmul_select.h.

template <int tile_m_, int tile_n_, int tile_k_, int thread_m_, int thread_n_>
struct Tile {
  static constexpr int tile_m = tile_m_, tile_n = tile_n_, tile_k = tile_k_;
  static constexpr int thread_m = thread_m_, thread_n = thread_n_;  // outputs of a thread
  static constexpr int threads_m = tile_m / thread_m, threads_n = tile_n / thread_n;
  static constexpr int threads = threads_m * threads_n;
  // One element of padding: a slab that is loaded along k is stored down a column, and without it
  // all those stores would hit one bank.
  static constexpr int pitch_a = tile_m + 1, pitch_b = tile_n + 1;
  static constexpr int slab_elements = tile_k * (pitch_a + pitch_b);

  static_assert(tile_m % thread_m == 0 && tile_n % thread_n == 0, "threads must cover the tile");
  static_assert(threads <= 1024 && threads % 32 == 0,
                "a block is whole warps, at most 1024 threads");
  static_assert(slab_elements * sizeof(double) <= 48 * 1024, "the slabs must fit in shared memory");
};

using LargeTile = Tile<128, 128, 8, 8, 8>;
using MediumTile = Tile<64, 64, 16, 4, 4>;
using SmallTile = Tile<16, 32, 32, 1, 4>;

// ---- Kernel -----------------------------------------------------------------------------------

// Loads `rows` x tile_k elements to slab[k][row]; zeros where the matrix ends. Neighbouring threads
// take neighbours in memory: along k where that stride is the smaller one, along the rows
// otherwise.
template <int rows, int tile_k, int pitch, int threads, class T>
__device__ __forceinline__ void load_slab(T* slab, const T* source, std::int64_t row_stride,
                                          std::int64_t k_stride, std::int64_t rows_left,
                                          std::int64_t k_left) {
  const bool along_k =
      (k_stride < 0 ? -k_stride : k_stride) < (row_stride < 0 ? -row_stride : row_stride);
  for (int i = threadIdx.x; i < rows * tile_k; i += threads) {
    const int row = along_k ? i / tile_k : i % rows;
    const int k = along_k ? i % tile_k : i / rows;
    const bool inside = row < rows_left && k < k_left;
    slab[k * pitch + row] = inside ? source[row * row_stride + k * k_stride] : T(0);
  }
}

template <class C, class T>
__device__ __forceinline__ void multiply_slabs(const T* slab_a, const T* slab_b, int thread_row,
                                               int thread_column,
                                               T (&sum)[C::thread_m][C::thread_n]) {
  MINIDL_UNROLL
  for (int k = 0; k < C::tile_k; ++k) {
    T a[C::thread_m], b[C::thread_n];
    MINIDL_UNROLL
    for (int i = 0; i < C::thread_m; ++i)
      a[i] = slab_a[k * C::pitch_a + thread_row + i * C::threads_m];
    MINIDL_UNROLL
    for (int j = 0; j < C::thread_n; ++j)
      b[j] = slab_b[k * C::pitch_b + thread_column + j * C::threads_n];
    MINIDL_UNROLL
    for (int i = 0; i < C::thread_m; ++i) {
      MINIDL_UNROLL
      for (int j = 0; j < C::thread_n; ++j) sum[i][j] += a[i] * b[j];
    }
  }
}

template <class T, class C>
__global__ void __launch_bounds__(C::threads) matmul_tiled_kernel(MatmulOperands<T> o) {
  T* slab_a = dynamic_shared<T>();
  T* slab_b = slab_a + C::tile_k * C::pitch_a;
  const std::int64_t tile = blockIdx.x % (o.tiles_m * o.tiles_n);
  const Offsets<3> at = o.batch.at(blockIdx.x / (o.tiles_m * o.tiles_n));
  const std::int64_t first_m = tile / o.tiles_n * C::tile_m, first_n = tile % o.tiles_n * C::tile_n;
  const int thread_row = threadIdx.x / C::threads_n, thread_column = threadIdx.x % C::threads_n;
  const T* a = o.a + at.in[0] + first_m * o.a_m;
  const T* b = o.b + at.in[1] + first_n * o.b_n;

  T sum[C::thread_m][C::thread_n] = {};
  for (std::int64_t k = 0; k < o.k; k += C::tile_k) {
    load_slab<C::tile_m, C::tile_k, C::pitch_a, C::threads>(slab_a, a + k * o.a_k, o.a_m, o.a_k,
                                                            o.m - first_m, o.k - k);
    load_slab<C::tile_n, C::tile_k, C::pitch_b, C::threads>(slab_b, b + k * o.b_k, o.b_n, o.b_k,
                                                            o.n - first_n, o.k - k);
    __syncthreads();
    multiply_slabs<C>(slab_a, slab_b, thread_row, thread_column, sum);
    __syncthreads();
  }

  T* out = o.out + at.in[2];
  MINIDL_UNROLL
  for (int i = 0; i < C::thread_m; ++i) {
    const std::int64_t m = first_m + thread_row + i * C::threads_m;
    MINIDL_UNROLL
    for (int j = 0; j < C::thread_n; ++j) {
      const std::int64_t n = first_n + thread_column + j * C::threads_n;
      if (m < o.m && n < o.n) out[m * o.out_m + n * o.out_n] = sum[i][j];
    }
  }
}

// ---- Launcher ---------------------------------------------------------------------------------

template <class T, class C>
void run(const MatmulOperands<T>& operands, Stream stream) {
  launch("matmul_tiled", matmul_tiled_kernel<T, C>,
         {.grid = {operands.tiles_m * operands.tiles_n * operands.batch.count},
          .block = {C::threads},
          .shared_bytes = C::slab_elements * sizeof(T)},
         stream, operands);
}

}  // namespace

template <class T>
void matmul_tiled(const MatmulOperands<T>& operands, const MatmulConfig& config, Stream stream) {
  switch (config.tile) {
    case MatmulTile::large:
      return run<T, LargeTile>(operands, stream);
    case MatmulTile::medium:
      return run<T, MediumTile>(operands, stream);
    case MatmulTile::small:
      return run<T, SmallTile>(operands, stream);
  }
}

template void matmul_tiled<float>(const MatmulOperands<float>&, const MatmulConfig&, Stream);
template void matmul_tiled<double>(const MatmulOperands<double>&, const MatmulConfig&, Stream);

}  // namespace minidl::cuda
