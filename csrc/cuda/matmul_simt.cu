// Matrix product by tiles in shared memory, in the arithmetic of the type: a block computes one
// tile of the output, step by step over k. While a step is multiplied, the operands of the next are
// on their way from memory into registers; two slabs take turns, so a step has one barrier. Any
// strides.
#include "cuda/launch.h"
#include "cuda/matmul_tile.h"
#include "cuda/pack.h"
#include "cuda/ptx/shared.h"
#include "cuda/ptx/unroll.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// The tile is chosen in matmul_select.h.

constexpr int threads = 256, threads_along = 16;

template <class T, int tile_>
struct Tile {
  using A = accumulator_t<T>;
  static constexpr int tile = tile_;
  // The largest tile has no registers left for more than 8.
  static constexpr int step_k = tile == 128 ? 8 : 16;
  static constexpr int per_thread = tile / threads_along;                // outputs along each axis
  static constexpr int run = per_thread < 4 ? per_thread : 4;            // of these, neighbours
  static constexpr int pack = pack_bytes / static_cast<int>(sizeof(A));  // elements of a load
  static constexpr int packs = tile * step_k / pack;                     // of a slab
  static constexpr int packs_per_thread = (packs + threads - 1) / threads;
  static constexpr int slab = tile * step_k;         // elements
  static constexpr int turn = 32 / (step_k / pack);  // of the swizzle, for each pack along k
  static constexpr std::size_t shared_bytes = sizeof(A) * slab * 4;

  // Of a multiprocessor: 64 sums of float, or 16 of double, and what is on the way to them, do not
  // leave room for a second block's registers.
  static constexpr int blocks = per_thread * per_thread * sizeof(A) >= 128 ? 1 : 2;

  static_assert(threads == threads_along * threads_along && tile % threads_along == 0 &&
                    per_thread % run == 0,
                "threads must cover the tile");
  static_assert(tile % 32 == 0 && turn % run == 0, "the swizzle exchanges elements within 32");
  static_assert(threads_along * tile * sizeof(A) <= shared_bytes, "the staged rows must fit");
  static_assert(shared_bytes <= 48 * 1024, "two slabs of each operand must fit in shared memory");
};

// ---- Kernel -----------------------------------------------------------------------------------

// A slab is [step_k][tile]. Packs that are loaded along k are stored down a column; the swizzle
// spreads the columns of the packs that a warp stores at a time over the banks, and leaves runs of
// 4 in place.
template <class C>
__device__ __forceinline__ int slab_index(int row, int k) {
  return k * C::tile + (row ^ (k / C::pack * C::turn));
}

// One operand as the loader sees it; its rows are those of a or the columns of b.
template <class T>
struct Source {
  const T* at;  // the first row of the tile, the first k of the part
  std::int64_t row_stride, k_stride;
  int rows;  // of the tile that exist
  bool along_k, aligned;
};

// The packs of a slab that this thread moves, along the axis in which they are neighbours.
template <class T, class C>
struct Packs {
  using Elements = Pack<T, C::pack>;
  Elements elements[C::packs_per_thread];

  static __device__ __forceinline__ int row_of(int pack, bool along_k) {
    return along_k ? pack / (C::step_k / C::pack) : pack % (C::tile / C::pack) * C::pack;
  }
  static __device__ __forceinline__ int k_of(int pack, bool along_k) {
    return along_k ? pack % (C::step_k / C::pack) * C::pack : pack / (C::tile / C::pack);
  }

  __device__ __forceinline__ void load(const Source<T>& source, int first_k, int depth) {
    MINIDL_UNROLL
    for (int p = 0; p < C::packs_per_thread; ++p) {
      const int pack = p * threads + static_cast<int>(threadIdx.x);
      if (C::packs % threads != 0 && pack >= C::packs) break;
      const int row = row_of(pack, source.along_k);
      const int k = first_k + k_of(pack, source.along_k);
      const bool starts = row < source.rows && k < depth;
      const int left = !starts ? 0 : source.along_k ? depth - k : source.rows - row;
      const T* from = source.at + row * source.row_stride + k * source.k_stride;
      if (source.aligned && left >= C::pack) {
        elements[p] = load_pack<Elements>(from);
      } else {
        const std::int64_t stride = source.along_k ? source.k_stride : source.row_stride;
        MINIDL_UNROLL
        for (int i = 0; i < C::pack; ++i) elements[p][i] = i < left ? from[i * stride] : T(0.0f);
      }
    }
  }

  __device__ __forceinline__ void store(typename C::A* slab, bool along_k) const {
    using A = typename C::A;
    MINIDL_UNROLL
    for (int p = 0; p < C::packs_per_thread; ++p) {
      const int pack = p * threads + static_cast<int>(threadIdx.x);
      if (C::packs % threads != 0 && pack >= C::packs) break;
      const int row = row_of(pack, along_k), k = k_of(pack, along_k);
      Pack<A, C::pack> wide;
      MINIDL_UNROLL
      for (int i = 0; i < C::pack; ++i) wide[i] = static_cast<A>(elements[p][i]);
      if (along_k) {
        MINIDL_UNROLL
        for (int i = 0; i < C::pack; ++i) slab[slab_index<C>(row, k + i)] = wide[i];
      } else {
        store_pack(&slab[slab_index<C>(row, k)], wide);
      }
    }
  }
};

// The `per_thread` elements of a slab's row k for the thread's place along its axis: runs of
// neighbours, the runs spread over the tile, so that a warp reads without conflicts.
template <class C>
__device__ __forceinline__ int output_at(int thread, int i) {
  return i / C::run * (threads_along * C::run) + thread * C::run + i % C::run;
}

template <class C>
__device__ __forceinline__ void read_slab(const typename C::A* slab, int thread, int k,
                                          typename C::A (&values)[C::per_thread]) {
  using A = typename C::A;
  constexpr int at_once = C::run < C::pack ? C::run : C::pack;
  MINIDL_UNROLL
  for (int i = 0; i < C::per_thread; i += at_once) {
    const auto pack = load_pack<Pack<A, at_once>>(&slab[slab_index<C>(output_at<C>(thread, i), k)]);
    MINIDL_UNROLL
    for (int j = 0; j < at_once; ++j) values[i + j] = pack[j];
  }
}

template <class C>
__device__ __forceinline__ void multiply_slabs(const typename C::A* slab_a,
                                               const typename C::A* slab_b, int thread_m,
                                               int thread_n,
                                               typename C::A (&sum)[C::per_thread][C::per_thread]) {
  MINIDL_UNROLL
  for (int k = 0; k < C::step_k; ++k) {
    typename C::A a[C::per_thread], b[C::per_thread];
    read_slab<C>(slab_a, thread_m, k, a);
    read_slab<C>(slab_b, thread_n, k, b);
    MINIDL_UNROLL
    for (int i = 0; i < C::per_thread; ++i) {
      MINIDL_UNROLL
      for (int j = 0; j < C::per_thread; ++j) sum[i][j] += a[i] * b[j];
    }
  }
}

template <class T, class C>
__global__ void __launch_bounds__(threads, C::blocks) matmul_simt_kernel(MatmulOperands<T> o) {
  using A = typename C::A;
  A* slabs = dynamic_shared<A>();  // [2][a, b][step_k][tile]
  const MatmulPlace place = matmul_place(o, C::tile);
  const Offsets<4> at = o.batch.at(place.batch);
  const Source<T> a = {
      .at = o.a + at.in[0] + place.first_m * o.a_m + place.first_k * o.a_k,
      .row_stride = o.a_m,
      .k_stride = o.a_k,
      .rows = up_to(o.m - place.first_m, C::tile),
      .along_k = o.a_layout.k_unit,
      .aligned = o.a_layout.aligned,
  };
  const Source<T> b = {
      .at = o.b + at.in[1] + place.first_n * o.b_n + place.first_k * o.b_k,
      .row_stride = o.b_n,
      .k_stride = o.b_k,
      .rows = up_to(o.n - place.first_n, C::tile),
      .along_k = o.b_layout.k_unit,
      .aligned = o.b_layout.aligned,
  };
  // A warp is 4 x 8 threads: its reads of both slabs are short and shared between lanes.
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int thread_m = warp / 2 * 4 + lane / 8, thread_n = warp % 2 * 8 + lane % 8;

  Packs<T, C> packs_a, packs_b;
  packs_a.load(a, 0, place.depth);
  packs_b.load(b, 0, place.depth);
  A sum[C::per_thread][C::per_thread] = {};
  int turn = 0;
  for (int k = 0; k < place.depth; k += C::step_k, turn ^= 1) {
    A* slab_a = slabs + turn * 2 * C::slab;
    A* slab_b = slab_a + C::slab;
    packs_a.store(slab_a, a.along_k);
    packs_b.store(slab_b, b.along_k);
    __syncthreads();
    if (k + C::step_k < place.depth) {
      packs_a.load(a, k + C::step_k, place.depth);
      packs_b.load(b, k + C::step_k, place.depth);
    }
    multiply_slabs<C>(slab_a, slab_b, thread_m, thread_n, sum);
  }

  // Through shared memory, a row of every thread at a time, so that a row is written as a whole.
  const MatmulSink<T> sink(o, place, at);
  MINIDL_UNROLL
  for (int i = 0; i < C::per_thread; ++i) {
    __syncthreads();
    MINIDL_UNROLL
    for (int j = 0; j < C::per_thread; ++j) {
      slabs[thread_m * C::tile + output_at<C>(thread_n, j)] = sum[i][j];
    }
    __syncthreads();
    sink.template put_staged<threads_along, C::tile, C::tile, threads>(
        slabs, place.first_n, [&](int row) { return place.first_m + output_at<C>(row, i); });
  }
}

// ---- Launcher ---------------------------------------------------------------------------------

template <class T, int tile>
void run(const MatmulOperands<T>& o, Stream stream) {
  using C = Tile<T, tile>;
  launch("matmul_simt", matmul_simt_kernel<T, C>,
         {.grid = {o.tiles_m * o.tiles_n * o.splits * o.batch.count},
          .block = {threads},
          .shared_bytes = C::shared_bytes},
         stream, o);
}

}  // namespace

template <class T>
void matmul_simt(const MatmulOperands<T>& operands, int tile, Stream stream) {
  if constexpr (std::is_same_v<T, float>) {
    if (tile == 128) return run<T, 128>(operands, stream);
  }
  return tile == 64 ? run<T, 64>(operands, stream) : run<T, 32>(operands, stream);
}

template void matmul_simt<float>(const MatmulOperands<float>&, int, Stream);
template void matmul_simt<double>(const MatmulOperands<double>&, int, Stream);
template void matmul_simt<BFloat16>(const MatmulOperands<BFloat16>&, int, Stream);

}  // namespace minidl::cuda
