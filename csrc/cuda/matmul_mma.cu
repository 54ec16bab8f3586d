// Matrix product on tensor cores by mma.sync: a block computes one tile of the output, its warps a
// part each. The operands of the next steps are on their way into a ring of three stages in shared
// memory (cp.async) while one is multiplied. All layouts: ldmatrix turns 16-bit operands on the way
// into registers. Operands that are not aligned take a loader of single elements; the rest is the
// same.
#include "cuda/launch.h"
#include "cuda/matmul_tile.h"
#include "cuda/pack.h"
#include "cuda/ptx/cp_async.h"
#include "cuda/ptx/ldmatrix.h"
#include "cuda/ptx/mma.h"
#include "cuda/ptx/shared.h"
#include "cuda/ptx/unroll.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// The tile is chosen in matmul_select.h.

constexpr int stages = 3;

// Chunks are the 16 bytes that one cp.async or one row of ldmatrix moves.
template <class T, int tile_>
struct Tile {
  static constexpr int tile = tile_;
  // Large parts read a fragment fewer times. The words of tf32, read one by one, have too many
  // addresses for parts of 64 x 64 outputs in 255 registers.
  static constexpr bool narrow = sizeof(T) == 4 && tile == 128;
  static constexpr int warps_m = 2, warps_n = narrow ? 4 : 2;
  static constexpr int threads = warps_m * warps_n * warp_size;
  static constexpr int warp_m = tile / warps_m, warp_n = tile / warps_n;  // outputs of a warp
  static constexpr int chunk = 16 / static_cast<int>(sizeof(T));          // elements
  static constexpr int step_chunks = 512 / tile;                          // along k, of a stage
  static constexpr int step_k = step_chunks * chunk;
  static constexpr int slab_chunks = tile * step_chunks;
  static constexpr int stage_bytes = 2 * slab_chunks * 16;
  static constexpr std::size_t shared_bytes = stages * stage_bytes;
  static constexpr int staged_pitch = tile + 8;  // floats; 4 rows of 8 fall into different banks
  static constexpr int blocks = narrow ? 1 : 2;  // of a multiprocessor

  static_assert(tile == 64 || tile == 128, "a stage has 4 or 8 chunks along k");
  static_assert(warp_m % 16 == 0 && warp_n % 16 == 0, "fragments must cover the part of a warp");
  static_assert(step_k % (2 * chunk) == 0, "a stage is whole instructions");
  static_assert(slab_chunks % threads == 0, "threads must share the chunks of a slab");
  static_assert(warps_m * 16 * staged_pitch * 4 <= shared_bytes, "the staged rows must fit");
  static_assert(shared_bytes <= 48 * 1024, "every GPU must have the shared memory");
};

// ---- Kernel -----------------------------------------------------------------------------------

// Where a chunk lies in a slab of `width` chunks a line. The swizzle lets the lines that a warp
// reads at a time, at the same chunk, fall into different banks:
//   lines of 64 bytes            two lines fill the banks once: the pair of lines turns the chunk
//   longer lines, for ldmatrix   8 lines are read together
//   longer lines of tf32         4 lines are read together, a word a lane, 8 neighbours a line
template <int width, bool words>
__device__ __forceinline__ int chunk_at(int line, int chunk) {
  if constexpr (words) {
    return line * width + (chunk ^ (line % 4 * 2));
  } else if constexpr (width == 4) {
    return line * width + (chunk ^ (line / 2 % 4));
  } else {
    return line * width + (chunk ^ (line % 8));
  }
}

// One operand: its rows are those of a or the columns of b. Lines of a slab are rows, of step_k
// elements, or, where memory does not run along k, steps of k, of `tile` rows.
template <class T, class C, bool along_k>
struct Operand {
  static constexpr int width = along_k ? C::step_chunks : C::tile / C::chunk;
  static constexpr bool words = !along_k && sizeof(T) == 4;
  const T* at;  // the first row of the tile, the first k of the part
  std::int64_t line_stride, element_stride;
  int rows;  // of the tile that exist
  bool aligned;

  static __device__ __forceinline__ std::byte* chunk(std::byte* slab, int line, int chunk) {
    return slab + chunk_at<width, words>(line, chunk) * 16;
  }

  // Chunk `i` of those that this thread moves: where it goes, where it comes from, and how many of
  // its elements exist.
  struct Move {
    std::byte* to;
    const T* from;
    int count;
  };
  __device__ __forceinline__ Move move(std::byte* slab, int i, int first_k, int depth) const {
    const int index = i * C::threads + static_cast<int>(threadIdx.x);
    const int line = index / width, first = index % width * C::chunk;
    const int k = first_k + (along_k ? first : line), row = along_k ? line : first;
    const int left = row >= rows || k >= depth ? 0 : along_k ? depth - k : rows - row;
    return {.to = chunk(slab, line, index % width),
            .from = at + (along_k ? row : k) * line_stride + (along_k ? k : row) * element_stride,
            .count = left < C::chunk ? left : C::chunk};
  }

  __device__ __forceinline__ void start_load(std::byte* slab, int first_k, int depth) const {
    constexpr int moves = C::slab_chunks / C::threads;
    if (aligned) {
      const Operand dense = {at, line_stride, 1, rows, true};
      MINIDL_UNROLL
      for (int i = 0; i < moves; ++i) {
        const auto [to, from, count] = dense.move(slab, i, first_k, depth);
        cp_async<16>(to, count ? from : at, count * static_cast<int>(sizeof(T)));
      }
    } else {
      MINIDL_KEEP_LOOP
      for (int i = 0; i < moves; ++i) {
        const auto [to, from, count] = move(slab, i, first_k, depth);
        Pack<T> pack;
        MINIDL_UNROLL
        for (int e = 0; e < C::chunk; ++e) pack[e] = e < count ? from[e * element_stride] : T(0.0f);
        store_pack(reinterpret_cast<T*>(to), pack);
      }
    }
  }

  // Fragments of 16 rows by mma_k: registers (row / 8, k half) in the order 00, 10, 01, 11.
  __device__ __forceinline__ static void load_fragment(std::uint32_t (&registers)[4],
                                                       std::byte* slab, int row, int step) {
    const int lane = threadIdx.x % warp_size, matrix = lane / 8;
    if constexpr (along_k) {
      ldmatrix(registers, chunk(slab, row + matrix % 2 * 8 + lane % 8, step * 2 + matrix / 2));
    } else if constexpr (words) {
      MINIDL_UNROLL
      for (int i = 0; i < 4; ++i) {
        const int k = step * 8 + i / 2 * 4 + lane % 4, r = row + i % 2 * 8 + lane / 4;
        registers[i] = load_pack<std::uint32_t>(
            reinterpret_cast<const std::uint32_t*>(chunk(slab, k, r / 4)) + r % 4);
      }
    } else {
      ldmatrix_trans(registers,
                     chunk(slab, step * 16 + matrix / 2 * 8 + lane % 8, row / 8 + matrix % 2));
    }
    if constexpr (sizeof(T) == 4) {
      MINIDL_UNROLL
      for (std::uint32_t& word : registers) word = to_tf32(std::bit_cast<float>(word));
    }
  }
};

template <class T>
__device__ __forceinline__ void multiply(float (&sum)[4], const std::uint32_t (&a)[4],
                                         const std::uint32_t (&b)[2]) {
  if constexpr (sizeof(T) == 4) {
    mma_m16n8k8_tf32(sum, a, b);
  } else {
    mma_m16n8k16<T>(sum, a, b);
  }
}

template <class T, class C>
using Sums = float[C::warp_m / 16][C::warp_n / 8][4];

template <class T, class C, class A, class B>
__device__ __forceinline__ void multiply_stage(std::byte* stage, int warp_row, int warp_column,
                                               Sums<T, C>& sum) {
  MINIDL_UNROLL
  for (int step = 0; step < C::step_chunks / 2; ++step) {
    std::uint32_t a[C::warp_m / 16][4];
    MINIDL_UNROLL
    for (int i = 0; i < C::warp_m / 16; ++i) {
      A::load_fragment(a[i], stage, warp_row + i * 16, step);
    }
    MINIDL_UNROLL
    for (int j = 0; j < C::warp_n / 16; ++j) {
      std::uint32_t b[4];
      B::load_fragment(b, stage + C::stage_bytes / 2, warp_column + j * 16, step);
      MINIDL_UNROLL
      for (int i = 0; i < C::warp_m / 16; ++i) {
        multiply<T>(sum[i][2 * j], a[i], {b[0], b[2]});
        multiply<T>(sum[i][2 * j + 1], a[i], {b[1], b[3]});
      }
    }
  }
}

// Writes the sums through shared memory, 16 rows of every warp at a time, so that a row is written
// as a whole.
template <class T, class C>
__device__ __forceinline__ void write_sums(const MatmulSink<T>& sink, const MatmulPlace& place,
                                           int warp_row, int warp_column, const Sums<T, C>& sum) {
  const int lane = threadIdx.x % warp_size;
  auto* staged = dynamic_shared<float>();
  float* own = staged + (warp_row / C::warp_m * 16 + lane / 4) * C::staged_pitch + warp_column +
               lane % 4 * 2;
  MINIDL_UNROLL
  for (int i = 0; i < C::warp_m / 16; ++i) {
    __syncthreads();
    MINIDL_UNROLL
    for (int j = 0; j < C::warp_n / 8; ++j) {
      store_pack(own + j * 8, Pack<float, 2>{sum[i][j][0], sum[i][j][1]});
      store_pack(own + 8 * C::staged_pitch + j * 8, Pack<float, 2>{sum[i][j][2], sum[i][j][3]});
    }
    __syncthreads();
    sink.template put_staged<C::warps_m * 16, C::tile, C::staged_pitch, C::threads>(
        staged, place.first_n,
        [&](int row) { return place.first_m + row / 16 * C::warp_m + i * 16 + row % 16; });
  }
}

template <class T, class C, bool a_along_k, bool b_along_k>
__device__ __forceinline__ void run_block(const MatmulOperands<T>& o) {
  using A = Operand<T, C, a_along_k>;
  using B = Operand<T, C, b_along_k>;
  std::byte* ring = dynamic_shared<std::byte>();  // [stages][a, b]
  const MatmulPlace place = matmul_place(o, C::tile);
  const Offsets<4> at = o.batch.at(place.batch);
  const A a = {
      .at = o.a + at.in[0] + place.first_m * o.a_m + place.first_k * o.a_k,
      .line_stride = a_along_k ? o.a_m : o.a_k,
      .element_stride = a_along_k ? o.a_k : o.a_m,
      .rows = up_to(o.m - place.first_m, C::tile),
      .aligned = o.a_layout.aligned,
  };
  const B b = {
      .at = o.b + at.in[1] + place.first_n * o.b_n + place.first_k * o.b_k,
      .line_stride = b_along_k ? o.b_n : o.b_k,
      .element_stride = b_along_k ? o.b_k : o.b_n,
      .rows = up_to(o.n - place.first_n, C::tile),
      .aligned = o.b_layout.aligned,
  };
  const auto start_stage = [&](int stage, int k) {
    std::byte* slab = ring + stage * C::stage_bytes;
    if (k < place.depth) {
      a.start_load(slab, k, place.depth);
      b.start_load(slab + C::stage_bytes / 2, k, place.depth);
    }
    cp_async_commit();  // an empty group too: the waits count groups
  };

  const int warp = threadIdx.x / warp_size;
  const int warp_row = warp / C::warps_n * C::warp_m, warp_column = warp % C::warps_n * C::warp_n;
  Sums<T, C> sum = {};
  for (int stage = 0; stage < stages - 1; ++stage) {
    start_stage(stage, stage * C::step_k);
  }
  int stage = 0;
  for (int k = 0; k < place.depth; k += C::step_k) {
    cp_async_wait<stages - 2>();
    __syncthreads();  // all have the stage, and none reads the one that is filled next
    start_stage((stage + stages - 1) % stages, k + (stages - 1) * C::step_k);
    multiply_stage<T, C, A, B>(ring + stage * C::stage_bytes, warp_row, warp_column, sum);
    stage = (stage + 1) % stages;
  }

  cp_async_wait_all();
  write_sums<T, C>(MatmulSink<T>(o, place, at), place, warp_row, warp_column, sum);
}

template <class T, class C, bool a_along_k, bool b_along_k>
__global__ void __launch_bounds__(C::threads, C::blocks) matmul_mma_kernel(MatmulOperands<T> o) {
  // Below 8.0 matmul_select.h takes the smaller tile: there the larger one lacks registers.
  if constexpr (has_mma<T> && (C::tile == 64 || has_mma<BFloat16>))
    run_block<T, C, a_along_k, b_along_k>(o);
}

// ---- Launcher ---------------------------------------------------------------------------------

template <class T, int tile, bool a_along_k, bool b_along_k>
void run(const MatmulOperands<T>& o, Stream stream) {
  using C = Tile<T, tile>;
  launch("matmul_mma", matmul_mma_kernel<T, C, a_along_k, b_along_k>,
         {.grid = {o.tiles_m * o.tiles_n * o.splits * o.batch.count},
          .block = {C::threads},
          .shared_bytes = C::shared_bytes},
         stream, o);
}

template <class T, int tile>
void run_layout(const MatmulOperands<T>& o, Stream stream) {
  if (o.a_layout.k_unit) {
    return o.b_layout.k_unit ? run<T, tile, true, true>(o, stream)
                             : run<T, tile, true, false>(o, stream);
  }
  return o.b_layout.k_unit ? run<T, tile, false, true>(o, stream)
                           : run<T, tile, false, false>(o, stream);
}

}  // namespace

template <class T>
void matmul_mma(const MatmulOperands<T>& operands, int tile, Stream stream) {
  return tile == 128 ? run_layout<T, 128>(operands, stream) : run_layout<T, 64>(operands, stream);
}

template void matmul_mma<Half>(const MatmulOperands<Half>&, int, Stream);
template void matmul_mma<BFloat16>(const MatmulOperands<BFloat16>&, int, Stream);
template void matmul_mma<float>(const MatmulOperands<float>&, int, Stream);

}  // namespace minidl::cuda
