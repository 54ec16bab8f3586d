// Convolution and its gradient by the input as a product of matrices on tensor cores: float16 and
// bfloat16 with sums in float32. As in conv_implicit_gemm.cu the pixels' terms are gathered while a
// tile is loaded: by cp.async where channels lie next to each other, else element by element
// through registers, of neighbouring pixels in neighbouring threads.
#include "cuda/conv_fragments.h"
#include "cuda/launch.h"
#include "cuda/ptx/shared.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// The tile is chosen in conv_select.h.

// `packed`: channels of the source are copied asynchronously, in packs.
template <class T_, class Grid_, bool packed_>
struct Tile {
  using T = T_;
  using Grid = Grid_;
  static constexpr bool packed = packed_;
  static constexpr int tile_m = Grid::tile_m, tile_n = Grid::tile_n, threads = Grid::threads;
  static constexpr int tile_k = 32, packs = tile_k / conv_pack;  // terms of a step
  static constexpr int stages = 3;                               // steps in shared memory at once
  static constexpr int loads_m = tile_m * packs / threads, loads_n = tile_n * packs / threads;
  // Blocks that a multiprocessor holds at once: what the registers are divided by.
  static constexpr int blocks = (packed ? 512 : 256) / threads;
  static constexpr int pitch = tile_n + conv_pack;  // of the result in shared memory
  static_assert(tile_m * packs % threads == 0 && tile_n * packs % threads == 0,
                "every thread must load as many packs");
};

using LargeGrid = WarpGrid<2, 4, 4, 4>;   // 128 x 128
using MediumGrid = WarpGrid<2, 2, 2, 4>;  // 64 x 64
using NarrowGrid = WarpGrid<4, 1, 2, 4>;  // 128 x 32

template <class C>
struct Shared {
  struct Slabs {
    typename C::T m[C::stages][C::tile_m * C::tile_k], n[C::stages][C::tile_n * C::tile_k];
  };
  union {
    alignas(16) Slabs slab;
    typename C::T result[C::tile_m * C::pitch];
  };
  ConvPlace terms[C::stages][C::tile_k], source[C::tile_m];
  std::int64_t target[C::tile_m];
  ConvClass pixels;
};

// ---- Kernel -----------------------------------------------------------------------------------

// Loads steps over the terms into the stages of shared memory.
template <class C>
struct Loader {
  using T = typename C::T;
  using P = Pack<T, conv_pack>;
  const ConvLayout& layout;
  Shared<C>& shared;
  const T *source, *weight;
  std::int64_t pitch;
  int channels;
  P staged[C::packed ? 1 : C::loads_m];

  __device__ __forceinline__ ConvSlot slot(int load) const {
    return slot_of(static_cast<int>(threadIdx.x) + load * C::threads, C::tile_m, C::packs,
                   C::packed || layout.channels_fastest);
  }

  __device__ __forceinline__ void place_terms(int step) {
    const int thread = static_cast<int>(threadIdx.x);
    if (thread < C::tile_k) {
      shared.terms[step % C::stages][thread] =
          term_place(shared.pixels, layout, step * C::tile_k + thread);
    }
  }

  // Begins to load a step; what is not copied asynchronously waits in registers for finish().
  __device__ __forceinline__ void begin(int step) {
    const int stage = step % C::stages;
    MINIDL_UNROLL
    for (int i = 0; i < C::loads_m; ++i) {
      const auto [row, pack] = slot(i);
      const ConvPlace* term = shared.terms[stage] + pack * conv_pack;
      if constexpr (C::packed) {
        T* to = shared.slab.m[stage] + slab_at<C::packs>(row, pack);
        copy_source(to, source, layout, shared.source[row], *term);
      } else {
        staged[i] = read_source<P>(source, layout, shared.source[row], term);
      }
    }
    MINIDL_UNROLL
    for (int i = 0; i < C::loads_n; ++i) {
      const int index = static_cast<int>(threadIdx.x) + i * C::threads;
      const int row = index / C::packs, pack = index % C::packs;
      const int at = step * C::tile_k + pack * conv_pack;
      const bool inside = row < channels && at < pitch;
      cp_async<16>(shared.slab.n[stage] + slab_at<C::packs>(row, pack),
                   inside ? weight + row * pitch + at : weight, inside ? 16 : 0);
    }
  }

  __device__ __forceinline__ void finish(int step) {
    if constexpr (!C::packed) {
      MINIDL_UNROLL
      for (int i = 0; i < C::loads_m; ++i) {
        const auto [row, pack] = slot(i);
        store_pack(shared.slab.m[step % C::stages] + slab_at<C::packs>(row, pack), staged[i]);
      }
    }
  }
};

template <class C>
__device__ __forceinline__ void multiply(const Shared<C>& shared, int stage,
                                         typename C::Grid::Sums& sum) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  MINIDL_UNROLL
  for (int k = 0; k < C::packs; k += 2) {
    C::Grid::template multiply<typename C::T>(
        sum,
        [&](std::uint32_t(&a)[4], int row) {
          ldmatrix(a, shared.slab.m[stage] + slab_at<C::packs>(row + lane % 16, k + lane / 16));
        },
        [&](std::uint32_t(&b)[4], int column) {
          ldmatrix(b, shared.slab.n[stage] +
                          slab_at<C::packs>(column + lane % 8 + lane / 16 * 8, k + lane / 8 % 2));
        });
  }
}

// The result of a tile, from shared memory to the target: whole packs of channels, or neighbours in
// memory by neighbouring threads.
template <class C>
__device__ __forceinline__ void write(const Shared<C>& shared, const ConvLayout& layout,
                                      typename C::T* target, int pixels, int channels) {
  using P = Pack<typename C::T, conv_pack>;
  if (layout.target_packs) {
    constexpr int packs = C::tile_n / conv_pack;
    for (int i = static_cast<int>(threadIdx.x); i < C::tile_m * packs; i += C::threads) {
      const int m = i / packs, n = i % packs * conv_pack;
      if (m < pixels && n < channels) {
        store_pack(target + shared.target[m] + n, load_pack<P>(shared.result + m * C::pitch + n));
      }
    }
    return;
  }
  for (int i = static_cast<int>(threadIdx.x); i < C::tile_m * C::tile_n; i += C::threads) {
    const auto [m, n] = slot_of(i, C::tile_m, C::tile_n, layout.target_channels_last);
    if (m < pixels && n < channels) {
      target[shared.target[m] + n * layout.target.channel] = shared.result[m * C::pitch + n];
    }
  }
}

template <class C>
__global__ void __launch_bounds__(C::threads, C::blocks)
    conv_mma_kernel(ConvGemm<typename C::T> p) {
  using T = typename C::T;
  Shared<C>& shared = *dynamic_shared<Shared<C>>();
  const ConvLayout& layout = p.layout;
  const ConvBlock block = conv_block(p, C::tile_m, C::tile_n);
  prepare_class(shared.pixels, layout, block.number);
  if (block.pixel >= shared.pixels.pixels) return;  // the whole block: classes differ in size
  const int first = static_cast<int>(block.pixel);
  for (int i = static_cast<int>(threadIdx.x); i < C::tile_m; i += C::threads) {
    shared.source[i] = source_place(shared.pixels, layout, first + i);
    shared.target[i] = target_offset(shared.pixels, layout, first + i);
  }

  Loader<C> loader{
      layout,         shared, p.source + block.source, p.weight + block.weight, p.weight_pitch,
      block.channels, {}};
  for (int step = 0; step < C::stages; ++step) loader.place_terms(step);
  __syncthreads();
  const int steps = (shared.pixels.terms + C::tile_k - 1) / C::tile_k;
  for (int step = 0; step < C::stages - 1; ++step) {
    if (step < steps) {
      loader.begin(step);
      loader.finish(step);
    }
    cp_async_commit();
  }
  typename C::Grid::Sums sum = {};
  for (int step = 0; step < steps; ++step) {
    cp_async_wait<C::stages - 2>();
    __syncthreads();  // this step has arrived, and nobody reads the stage that is loaded now
    const int next = step + C::stages - 1;
    if (next < steps) loader.begin(next);
    cp_async_commit();
    loader.place_terms(next + 1);
    multiply<C>(shared, step % C::stages, sum);
    if (next < steps) loader.finish(next);
  }
  cp_async_wait_all();
  __syncthreads();  // the result takes the place of the slabs

  C::Grid::for_each(sum, [&](int m, int n, float value) {
    const bool biased = p.bias && n < block.channels;
    const float bias = biased ? static_cast<float>(p.bias[(block.channel + n) * p.bias_stride]) : 0;
    shared.result[m * C::pitch + n] = T(value + bias);
  });
  __syncthreads();
  write<C>(shared, layout, p.target + block.channel * layout.target.channel,
           shared.pixels.pixels - first, block.channels);
}

// ---- Launcher ---------------------------------------------------------------------------------

template <class C>
void run_tile(const ConvGemm<typename C::T>& p, Stream stream) {
  launch("conv_mma", conv_mma_kernel<C>,
         {.grid = {conv_blocks(p)}, .block = {C::threads}, .shared_bytes = sizeof(Shared<C>)},
         stream, p);
}

template <class T, class Grid>
void run(const ConvGemm<T>& p, Stream stream) {
  p.layout.source_packs ? run_tile<Tile<T, Grid, true>>(p, stream)
                        : run_tile<Tile<T, Grid, false>>(p, stream);
}

}  // namespace

template <class T>
void conv_mma(const ConvGemm<T>& p, const ConvConfig& config, Stream stream) {
  switch (config.tile) {
    case ConvConfig::large:
      return run<T, LargeGrid>(p, stream);
    case ConvConfig::medium:
      return run<T, MediumGrid>(p, stream);
    case ConvConfig::narrow:
      return run<T, NarrowGrid>(p, stream);
  }
}

template void conv_mma<Half>(const ConvGemm<Half>&, const ConvConfig&, Stream);
template void conv_mma<BFloat16>(const ConvGemm<BFloat16>&, const ConvConfig&, Stream);

}  // namespace minidl::cuda
