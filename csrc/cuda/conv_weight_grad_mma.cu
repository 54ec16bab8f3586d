// The gradient by the weight on tensor cores: channels of g x pixels times pixels x terms, float16
// and bfloat16 with sums in float32. Both operands lie with the pixels as rows, the way they come
// from channels-last memory; ldmatrix turns them while it loads. As in conv_weight_grad.cu a block
// sums one part of the pixels.
#include "cuda/conv_fragments.h"
#include "cuda/launch.h"
#include "cuda/ptx/shared.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// The tile and the number of parts: conv_select.h.

// `packed`: channels of both operands are copied asynchronously, in packs.
template <class T_, class Grid_, bool packed_>
struct Tile {
  using T = T_;
  using Grid = Grid_;
  static constexpr bool packed = packed_;
  static constexpr int side = Grid::tile_m, threads = Grid::threads;
  static constexpr int tile_k = 32, packs = side / conv_pack;  // pixels of a step; packs of a row
  static constexpr int stages = 3;
  // Blocks that a multiprocessor holds at once: what the registers are divided by.
  static constexpr int blocks = (packed ? 512 : 256) / threads;
  static constexpr int loads = tile_k * packs / threads;
  static_assert(Grid::tile_m == Grid::tile_n, "both operands are loaded alike");
  static_assert(tile_k * packs % threads == 0, "every thread must load as many packs");
  static_assert(side <= threads, "a thread a term prepares the places of terms");
};

using LargeGrid = WarpGrid<2, 4, 4, 4>;   // 128 x 128
using MediumGrid = WarpGrid<2, 2, 2, 4>;  // 64 x 64

template <class C>
struct Shared {
  alignas(16) typename C::T g[C::stages][C::tile_k * C::side];
  alignas(16) typename C::T source[C::stages][C::tile_k * C::side];
  ConvPlace terms[C::side], pixels[C::stages][C::tile_k];
  std::int64_t g_at[C::stages][C::tile_k];  // offset of a pixel of g
  ConvClass all;
};

// ---- Kernel -----------------------------------------------------------------------------------

// Loads steps over the pixels into the stages of shared memory.
template <class C>
struct Loader {
  using T = typename C::T;
  using P = Pack<T, conv_pack>;
  const ConvLayout& layout;
  Shared<C>& shared;
  const T *g, *source;
  int channels, begin_pixel, end_pixel;
  P staged_g[C::packed ? 1 : C::loads], staged_source[C::packed ? 1 : C::loads];

  __device__ __forceinline__ ConvSlot slot(int load, bool along) const {
    return slot_of(static_cast<int>(threadIdx.x) + load * C::threads, C::tile_k, C::packs, along);
  }

  __device__ __forceinline__ void place_pixels(int step) {
    const int thread = static_cast<int>(threadIdx.x), stage = step % C::stages;
    if (thread >= C::tile_k) return;
    const int pixel = begin_pixel + step * C::tile_k + thread;
    const bool inside = pixel < end_pixel;
    shared.pixels[stage][thread] =
        source_place(shared.all, layout, inside ? pixel : shared.all.pixels);
    shared.g_at[stage][thread] = inside ? target_offset(shared.all, layout, pixel) : 0;
  }

  __device__ __forceinline__ void begin(int step) {
    const int stage = step % C::stages;
    MINIDL_UNROLL
    for (int i = 0; i < C::loads; ++i) {
      const auto [row, pack] = slot(i, C::packed || layout.channels_fastest);
      const ConvPlace &pixel = shared.pixels[stage][row], *term = shared.terms + pack * conv_pack;
      if constexpr (C::packed) {
        copy_source(shared.source[stage] + slab_at<C::packs>(row, pack), source, layout, pixel,
                    *term);
      } else {
        staged_source[i] = read_source<P>(source, layout, pixel, term);
      }
    }
    MINIDL_UNROLL
    for (int i = 0; i < C::loads; ++i) {
      const auto [row, pack] = slot(i, C::packed || layout.target_channels_last);
      const T* from = g + shared.g_at[stage][row];
      const bool inside = begin_pixel + step * C::tile_k + row < end_pixel;
      const int channel = pack * conv_pack;
      if constexpr (C::packed) {
        const bool read = inside && channel < channels;
        cp_async<16>(shared.g[stage] + slab_at<C::packs>(row, pack), read ? from + channel : g,
                     read ? 16 : 0);
      } else {
        staged_g[i] = read_channels<P>(from, layout, channel, inside ? channels : 0);
      }
    }
  }

  __device__ __forceinline__ void finish(int step) {
    if constexpr (!C::packed) {
      const int stage = step % C::stages;
      MINIDL_UNROLL
      for (int i = 0; i < C::loads; ++i) {
        const auto [row, pack] = slot(i, C::packed || layout.channels_fastest);
        store_pack(shared.source[stage] + slab_at<C::packs>(row, pack), staged_source[i]);
        const auto [g_row, g_pack] = slot(i, C::packed || layout.target_channels_last);
        store_pack(shared.g[stage] + slab_at<C::packs>(g_row, g_pack), staged_g[i]);
      }
    }
  }
};

template <class C>
__device__ __forceinline__ void multiply(const Shared<C>& shared, int stage,
                                         typename C::Grid::Sums& sum) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  MINIDL_UNROLL
  for (int k = 0; k < C::tile_k; k += 16) {
    C::Grid::template multiply<typename C::T>(
        sum,
        [&](std::uint32_t(&a)[4], int row) {
          ldmatrix_trans(a, shared.g[stage] + slab_at<C::packs>(k + lane % 8 + lane / 16 * 8,
                                                                row / conv_pack + lane / 8 % 2));
        },
        [&](std::uint32_t(&b)[4], int column) {
          ldmatrix_trans(b, shared.source[stage] +
                                slab_at<C::packs>(k + lane % 16, column / conv_pack + lane / 16));
        });
  }
}

template <class C>
__global__ void __launch_bounds__(C::threads, C::blocks)
    conv_weight_grad_mma_kernel(ConvWeightGrad<typename C::T, float> p) {
  Shared<C>& shared = *dynamic_shared<Shared<C>>();
  const ConvLayout& layout = p.layout;
  const ConvPart part = conv_part(p, C::side);
  prepare_class(shared.all, layout, 0);
  const int thread = static_cast<int>(threadIdx.x);
  if (thread < C::side) {
    shared.terms[thread] = term_place(shared.all, layout, part.term + thread);
  }
  const int left = shared.all.pixels - part.pixel;
  const int count = left < p.pixels_per_part ? left : p.pixels_per_part;
  Loader<C> loader{layout,
                   shared,
                   p.g + part.g,
                   p.source + part.source,
                   part.channels,
                   part.pixel,
                   part.pixel + count,
                   {},
                   {}};
  for (int step = 0; step < C::stages; ++step) loader.place_pixels(step);
  __syncthreads();
  const int steps = count > 0 ? (count + C::tile_k - 1) / C::tile_k : 0;
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
    loader.place_pixels(next + 1);
    multiply<C>(shared, step % C::stages, sum);
    if (next < steps) loader.finish(next);
  }
  cp_async_wait_all();

  C::Grid::for_each(sum, [&](int m, int n, float value) {
    if (m < part.channels && part.term + n < p.terms) {
      p.partial[(part.line + m) * p.terms + part.term + n] = value;
    }
  });
}

// ---- Launcher ---------------------------------------------------------------------------------

template <class C>
void run_tile(const ConvWeightGrad<typename C::T, float>& p, Stream stream) {
  launch("conv_weight_grad_mma", conv_weight_grad_mma_kernel<C>,
         {.grid = {p.term_tiles * p.channel_tiles * p.layout.groups * p.parts},
          .block = {C::threads},
          .shared_bytes = sizeof(Shared<C>)},
         stream, p);
}

template <class T, class Grid>
void run(const ConvWeightGrad<T, float>& p, Stream stream) {
  p.layout.source_packs&& p.layout.target_packs ? run_tile<Tile<T, Grid, true>>(p, stream)
                                                : run_tile<Tile<T, Grid, false>>(p, stream);
}

}  // namespace

template <class T>
void conv_weight_grad_mma(const ConvWeightGrad<T, float>& p, const ConvConfig& config,
                          Stream stream) {
  config.tile == ConvConfig::large ? run<T, LargeGrid>(p, stream) : run<T, MediumGrid>(p, stream);
}

template void conv_weight_grad_mma<Half>(const ConvWeightGrad<Half, float>&, const ConvConfig&,
                                         Stream);
template void conv_weight_grad_mma<BFloat16>(const ConvWeightGrad<BFloat16, float>&,
                                             const ConvConfig&, Stream);

}  // namespace minidl::cuda
