// Matrix product by wgmma, persistent and warp-specialised: a block computes tile after tile. One
// thread of the first warpgroup copies slabs of both operands into a ring of stages by bulk tensor
// copies, which fill up with 0 beyond the arrays; two warpgroups multiply, 64 rows of the tile
// each, and keep one group of wgmma under way. While they write a tile, the next one is loaded.
// They write by bulk copies from shared memory where the result has a tensor map, else by
// themselves.
// Needs: sm_90a, whose instructions the PTX of other architectures does not hold.
#include "common/half.h"
#include "cuda/launch.h"
#include "cuda/matmul_wgmma_kernels.h"
#include "cuda/pack.h"
#include "cuda/ptx/proxy.h"
#include "cuda/ptx/tensor_copy.h"
#include "cuda/ptx/unroll.h"
#include "cuda/ptx/warp.h"
#include "cuda/ptx/wgmma.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// The tile is chosen in matmul_wgmma_tile.h.

// Of a thread; together the 3 * 168 that the three warpgroups of a block start with.
constexpr int producer_registers = 40, consumer_registers = 232;

// How a slab of an operand, `rows` x wgmma_tile_k, lies in shared memory: K-major in one box,
// otherwise in boxes of 64 rows.
template <class T, Major major, int rows>
struct Slab {
  static constexpr int row_bytes = 128, group_bytes = 8 * row_bytes;
  static constexpr int elements = rows * wgmma_tile_k, bytes = elements * 2;
  static_assert(sizeof(T) == 2 && wgmma_tile_k * 2 == row_bytes, "a row is as wide as the swizzle");

  static __device__ __forceinline__ void load(T* slab, const TensorMap& map, MBarrier* full,
                                              int row, int k, int batch) {
    if constexpr (major == Major::k) {
      load_box<3>(slab, map, full, {k, row, batch});
    } else {
      constexpr int box = row_bytes / 2;
      MINIDL_UNROLL
      for (int i = 0; i < rows; i += box) {
        load_box<3>(slab + i * wgmma_tile_k, map, full, {row + i, k, batch});
      }
    }
  }

  // Of the rows from `row`, a multiple of 64, on and the terms from `k` on.
  static __device__ __forceinline__ std::uint64_t at(const T* slab, int row, int k) {
    const int start = row * row_bytes + (major == Major::k ? k * 2 : k * row_bytes);
    const int leading = major == Major::k ? 16 : wgmma_tile_k * row_bytes;
    return descriptor(shared_offset(slab) + start, leading, group_bytes, Swizzle::bytes_128);
  }
};

template <class T_, Major a_major_, Major b_major_, int tile_n_>
struct Tile {
  using T = T_;
  static constexpr Major a_major = a_major_, b_major = b_major_;
  static constexpr int tile_m = MatmulWgmmaConfig::tile_m, tile_n = tile_n_;
  static constexpr int consumers = tile_m / 64, threads = (consumers + 1) * warpgroup_size;
  static constexpr int stages = 4;
  using A = Slab<T, a_major, tile_m>;
  using B = Slab<T, b_major, tile_n>;
};

// A part of a tile on its way out: wgmma_box_rows x wgmma_box_columns, a row as wide as the
// swizzle.
template <class T>
using OutBox = T[wgmma_box_rows * wgmma_box_columns];

template <class C>
struct Shared {
  alignas(1024) typename C::T a[C::stages][C::A::elements];
  alignas(1024) typename C::T b[C::stages][C::B::elements];
  alignas(1024) OutBox<typename C::T> out[C::consumers][2];  // one is filled while one is copied
  MBarrier full[C::stages], empty[C::stages];
};

// ---- Kernel -----------------------------------------------------------------------------------

struct TilePlace {
  int batch, m, n;
};

template <class C>
struct Tiles {
  int along_m, along_n, count;

  template <class Output>
  __device__ __forceinline__ explicit Tiles(const Output& out)
      : along_m((out.m + C::tile_m - 1) / C::tile_m),
        along_n((out.n + C::tile_n - 1) / C::tile_n),
        count(along_m * along_n * out.batch) {}

  __device__ __forceinline__ TilePlace place(int tile) const {
    constexpr int raster = MatmulWgmmaConfig::raster;
    const int in_matrix = tile % (along_m * along_n), band = raster * along_n;
    const int first = in_matrix / band * raster, left = along_m - first;
    const int rows = left < raster ? left : raster, in_band = in_matrix % band;
    return {tile / (along_m * along_n), (first + in_band % rows) * C::tile_m,
            in_band / rows * C::tile_n};
  }
};

// A place in the ring; `parity` is that of the phase in which the stage is filled.
template <int stages>
struct RingPlace {
  int stage = 0;
  unsigned parity = 0;

  __device__ __forceinline__ void advance() {
    if (++stage == stages) {
      stage = 0;
      parity ^= 1;
    }
  }
};

template <class C, class Output>
__device__ __forceinline__ void produce(Shared<C>& shared, const TensorMap& a, const TensorMap& b,
                                        const Output& out) {
  const Tiles<C> tiles(out);
  RingPlace<C::stages> at;
  for (int tile = blockIdx.x; tile < tiles.count; tile += gridDim.x) {
    const TilePlace place = tiles.place(tile);
    for (int k = 0; k < out.k; k += wgmma_tile_k) {
      MBarrier* full = shared.full + at.stage;
      mbarrier_wait(shared.empty + at.stage, at.parity ^ 1);
      mbarrier_arrive_expect(full, C::A::bytes + C::B::bytes);
      C::A::load(shared.a[at.stage], a, full, place.m, k, out.a_batched ? place.batch : 0);
      C::B::load(shared.b[at.stage], b, full, place.n, k, out.b_batched ? place.batch : 0);
      at.advance();
    }
  }
}

// Where the first two sums of a thread stand in the tile of its warpgroup: the others are 8 rows or
// multiples of 8 columns away.
struct FragmentPlace {
  int row, column;

  __device__ __forceinline__ FragmentPlace() {
    const int thread = static_cast<int>(threadIdx.x) % warpgroup_size;
    row = thread / warp_size * 16 + thread % warp_size / 4;
    column = thread % 4 * 2;
  }
};

// Two neighbouring sums of columns `c` and c + 1 with the bias, where the columns exist.
template <class T, class Output>
__device__ __forceinline__ Pack<T, 2> finished(float low, float high, const Output& out, int c) {
  if (out.bias) {
    if (c < out.n) low += out.bias[c * out.bias_stride];
    if (c + 1 < out.n) high += out.bias[(c + 1) * out.bias_stride];
  }
  return {{T(low), T(high)}};
}

// Writes the sums of a warpgroup, from row `m` and column `n` on.
template <class C, class Output>
__device__ __forceinline__ void write(const float (&sum)[C::tile_n / 2], const Output& out,
                                      int batch, int m, int n) {
  using T = typename C::T;
  const FragmentPlace place;
  MINIDL_UNROLL
  for (int h = 0; h < 2; ++h) {
    const int row = m + place.row + 8 * h;
    if (row >= out.m) continue;
    T* to = out.data + batch * out.batch_stride + row * out.m_stride;
    MINIDL_UNROLL
    for (int j = 0; j < C::tile_n / 8; ++j) {
      const int c = n + place.column + 8 * j;
      const auto pair = finished<T>(sum[4 * j + 2 * h], sum[4 * j + 2 * h + 1], out, c);
      if (out.pairs && c + 1 < out.n) {
        store_pack(to + c, pair);
      } else {
        if (c < out.n) to[c * out.n_stride] = pair[0];
        if (c + 1 < out.n) to[(c + 1) * out.n_stride] = pair[1];
      }
    }
  }
}

// The same by bulk copies, which leave out what is beyond the array. A box is filled while the one
// before it is being copied.
template <class C, class Output>
__device__ __forceinline__ void write_boxes(const float (&sum)[C::tile_n / 2],
                                            OutBox<typename C::T> (&boxes)[2], const TensorMap& map,
                                            const Output& out, int batch, int m, int n) {
  using T = typename C::T;
  constexpr int chunk = 16 / sizeof(T), packs = wgmma_box_columns / 8;
  static_assert(C::tile_n % (2 * wgmma_box_columns) == 0, "a tile begins with the first box");
  if (m >= out.m) return;  // all of the warpgroup
  const FragmentPlace place;
  const unsigned barrier = threadIdx.x / warpgroup_size;
  const bool leader = threadIdx.x % warpgroup_size == 0;
  MINIDL_UNROLL
  for (int part = 0; part < C::tile_n / wgmma_box_columns; ++part) {
    T* box = boxes[part % 2];
    if (leader) store_wait_read<1>();  // the last copy from this box has read it
    named_barrier(barrier, warpgroup_size);
    MINIDL_UNROLL
    for (int j = 0; j < packs; ++j) {
      MINIDL_UNROLL
      for (int h = 0; h < 2; ++h) {
        const int at = 4 * (part * packs + j) + 2 * h, row = place.row + 8 * h;
        const int c = n + part * wgmma_box_columns + 8 * j + place.column;
        T* to = box + row * wgmma_box_columns + (j ^ row % 8) * chunk + place.column;
        store_pack(to, finished<T>(sum[at], sum[at + 1], out, c));
      }
    }
    fence_proxy_async();
    named_barrier(barrier, warpgroup_size);
    const int column = n + part * wgmma_box_columns;
    if (leader && column < out.n) store_box<3>(map, box, {column, m, batch});
    if (leader) store_commit();
  }
}

template <class C, class Output>
__device__ __forceinline__ void consume(Shared<C>& shared, const TensorMap& map,
                                        const Output& out) {
  using T = typename C::T;
  constexpr int depth = wgmma_depth<T>;
  const Tiles<C> tiles(out);
  const int first_row = (static_cast<int>(threadIdx.x) / warpgroup_size - 1) * 64;
  const bool first_lane = threadIdx.x % warp_size == 0;
  RingPlace<C::stages> at;
  for (int tile = blockIdx.x; tile < tiles.count; tile += gridDim.x) {
    const TilePlace place = tiles.place(tile);
    float sum[C::tile_n / 2];
    MBarrier* previous = nullptr;
    for (int k = 0; k < out.k; k += wgmma_tile_k) {
      mbarrier_wait(shared.full + at.stage, at.parity);
      wgmma_fence();
      MINIDL_UNROLL
      for (int i = 0; i < wgmma_tile_k; i += depth) {
        wgmma<T, C::tile_n, C::a_major, C::b_major>(sum, C::A::at(shared.a[at.stage], first_row, i),
                                                    C::B::at(shared.b[at.stage], 0, i), k + i > 0);
      }
      wgmma_commit();
      wgmma_wait<1>();  // the previous slabs have been read
      if (previous && first_lane) mbarrier_arrive(previous);
      previous = shared.empty + at.stage;
      at.advance();
    }
    wgmma_wait<0>();
    if (first_lane) mbarrier_arrive(previous);
    if (out.boxes) {
      write_boxes<C>(sum, shared.out[first_row / 64], map, out, place.batch, place.m + first_row,
                     place.n);
    } else {
      write<C>(sum, out, place.batch, place.m + first_row, place.n);
    }
  }
  store_wait<0>();
}

template <class C>
__global__ void __launch_bounds__(C::threads, 1)
    wgmma_kernel(const __grid_constant__ TensorMap a, const __grid_constant__ TensorMap b,
                 const __grid_constant__ TensorMap map,
                 const MatmulWgmmaOutput<typename C::T> out) {
  if (has_wgmma) {  // not constexpr: nvcc would warn of constants that nobody uses
    Shared<C>& shared = *dynamic_shared<Shared<C>>();
    if (threadIdx.x == 0) {
      for (int i = 0; i < C::stages; ++i) {
        mbarrier_init(shared.full + i, 1);
        mbarrier_init(shared.empty + i, C::consumers * warpgroup_size / warp_size);
      }
      fence_mbarrier_init();
    }
    __syncthreads();
    if (threadIdx.x < warpgroup_size) {
      decrease_registers<producer_registers>();
      if (threadIdx.x == 0) produce(shared, a, b, out);
    } else {
      increase_registers<consumer_registers>();
      consume(shared, map, out);
    }
  }
}

// ---- Launcher ---------------------------------------------------------------------------------

template <class C>
void run_tile(const TensorMap& a, const TensorMap& b, const TensorMap& map,
              const MatmulWgmmaOutput<typename C::T>& out, const MatmulWgmmaConfig& config,
              Stream stream) {
  launch("matmul_wgmma", wgmma_kernel<C>,
         {.grid = {config.blocks}, .block = {C::threads}, .shared_bytes = sizeof(Shared<C>)},
         stream, a, b, map, out);
}

template <class T, int tile_n>
void run(const MatmulWgmmaOperand& a, const MatmulWgmmaOperand& b, const TensorMap& map,
         const MatmulWgmmaOutput<T>& out, const MatmulWgmmaConfig& config, Stream stream) {
  constexpr Major k = Major::k, mn = Major::mn;
  if (a.k_unit && b.k_unit)
    return run_tile<Tile<T, k, k, tile_n>>(a.map, b.map, map, out, config, stream);
  if (a.k_unit) return run_tile<Tile<T, k, mn, tile_n>>(a.map, b.map, map, out, config, stream);
  if (b.k_unit) return run_tile<Tile<T, mn, k, tile_n>>(a.map, b.map, map, out, config, stream);
  run_tile<Tile<T, mn, mn, tile_n>>(a.map, b.map, map, out, config, stream);
}

}  // namespace

template <class T>
void matmul_wgmma_kernel(const MatmulWgmmaOperand& a, const MatmulWgmmaOperand& b,
                         const TensorMap& map, const MatmulWgmmaOutput<T>& out,
                         const MatmulWgmmaConfig& config, Stream stream) {
  config.tile_n == 256 ? run<T, 256>(a, b, map, out, config, stream)
                       : run<T, 128>(a, b, map, out, config, stream);
}

template void matmul_wgmma_kernel<Half>(const MatmulWgmmaOperand&, const MatmulWgmmaOperand&,
                                        const TensorMap&, const MatmulWgmmaOutput<Half>&,
                                        const MatmulWgmmaConfig&, Stream);
template void matmul_wgmma_kernel<BFloat16>(const MatmulWgmmaOperand&, const MatmulWgmmaOperand&,
                                            const TensorMap&, const MatmulWgmmaOutput<BFloat16>&,
                                            const MatmulWgmmaConfig&, Stream);

}  // namespace minidl::cuda
