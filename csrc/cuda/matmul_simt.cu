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
  static constexpr int per_thread = tile / threads_along;                // outputs along each axis
  static constexpr int run = per_thread < 4 ? per_thread : 4;            // of these, neighbours
  static constexpr int pack = pack_bytes / static_cast<int>(sizeof(A));  // elements of a load
  // A slab is at most a pack a thread: the registers of the largest tile hold no second one.
  static constexpr int step_k = tile == 32 ? 16 : threads * pack / tile;
  static constexpr int slab = tile * step_k;         // elements
  static constexpr int turn = 32 / (step_k / pack);  // of the swizzle, for each pack along k
  static constexpr std::size_t shared_bytes = sizeof(A) * slab * 4;

  static_assert(threads == threads_along * threads_along && tile % threads_along == 0 &&
                    per_thread % run == 0,
                "threads must cover the tile");
  static_assert(slab <= threads * pack && step_k % pack == 0, "a pack a thread must be a slab");
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

// One operand; its rows are those of a or the columns of b.
template <class T>
struct Source {
  const T* at;  // the first row of the tile, the first k of the part
  std::int64_t row_stride, k_stride;
  int rows;  // of the tile that exist
  bool along_k, aligned;
};

// What one thread brings of an operand, step after step: a pack along the unit axis, which waits in
// registers while the step before it is multiplied.
template <class T, class C>
struct Loader {
  using A = typename C::A;
  using Elements = Pack<T, C::pack>;
  const T* from;
  std::int64_t advance, stride;  // from step to step, from element to element
  int k, present;  // where the pack starts; elements that exist, at the ends of k apart
  int to;          // in the slab
  bool along_k, aligned;
  Elements elements;

  __device__ __forceinline__ explicit Loader(const Source<T>& source)
      : advance(C::step_k * source.k_stride),
        stride(source.along_k ? source.k_stride : source.row_stride),
        along_k(source.along_k),
        aligned(source.aligned) {
    constexpr int along = C::step_k / C::pack, across = C::tile / C::pack;
    const int pack = threadIdx.x;
    const int row = along_k ? pack / along : pack % across * C::pack;
    k = along_k ? pack % along * C::pack : pack / across;
    from = source.at + row * source.row_stride + k * source.k_stride;
    const bool idle = pack >= C::slab / C::pack;  // small slabs are not a pack for every thread
    to = idle ? C::slab : slab_index<C>(row, k);
    const int left = idle ? 0 : source.rows - row;
    present = left <= 0 ? 0 : along_k || left > C::pack ? C::pack : left;
  }

  // Loads the next pack; `depth` is where k ends.
  __device__ __forceinline__ void load(int depth) {
    const int in_depth = along_k ? depth - k : k < depth ? C::pack : 0;
    const int count = in_depth < present ? in_depth : present;
    if (aligned && count == C::pack) {
      elements = load_pack<Elements>(from);
    } else {
      MINIDL_UNROLL
      for (int i = 0; i < C::pack; ++i) elements[i] = i < count ? from[i * stride] : T(0.0f);
    }
    from += advance;
    k += C::step_k;
  }

  __device__ __forceinline__ void store(A* slab) const {
    if (to >= C::slab) return;
    Pack<A, C::pack> wide;
    MINIDL_UNROLL
    for (int i = 0; i < C::pack; ++i) wide[i] = static_cast<A>(elements[i]);
    if (along_k) {
      MINIDL_UNROLL
      for (int i = 0; i < C::pack; ++i) slab[to + i * C::tile] = wide[i];
    } else {
      store_pack(slab + to, wide);
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
__global__ void __launch_bounds__(threads, 2) matmul_simt_kernel(MatmulOperands<T> o) {
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

  Loader<T, C> load_a(a), load_b(b);
  load_a.load(place.depth);
  load_b.load(place.depth);
  A sum[C::per_thread][C::per_thread] = {};
  int turn = 0;
  for (int k = 0; k < place.depth; k += C::step_k, turn ^= 1) {
    A* slab_a = slabs + turn * 2 * C::slab;
    A* slab_b = slab_a + C::slab;
    load_a.store(slab_a);
    load_b.store(slab_b);
    __syncthreads();
    if (k + C::step_k < place.depth) {
      load_a.load(place.depth);
      load_b.load(place.depth);
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
