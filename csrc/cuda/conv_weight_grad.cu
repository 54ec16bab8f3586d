// The gradient by the weight as a product of matrices: channels of g x pixels times pixels x terms,
// by fused multiply-adds in registers. A block sums one tile of the weight over one part of the
// pixels; conv_sum_parts adds the parts, so the result does not depend on the order of blocks.
#include "cuda/conv_tile.h"
#include "cuda/launch.h"
#include "cuda/ptx/shared.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// The number of parts: conv_select.h.

template <class T_>
struct Tile {
  using T = T_;
  using Sum = accumulator_t<T>;
  static constexpr int side = 64;                            // channels, and terms
  static constexpr int tile_k = sizeof(Sum) == 8 ? 16 : 32;  // pixels of a step
  static constexpr int thread = 4, across = side / thread;   // outputs of a thread along a side
  static constexpr int threads = across * across;
  static constexpr int pack = sizeof(T) == 8 ? 2 : 4;
  static constexpr int packs = side / pack;
  static constexpr int loads = tile_k * packs / threads;
  static constexpr int pitch = side + 4;
  static_assert(tile_k * packs % threads == 0, "every thread must load as many packs");
  static_assert(side <= threads, "a thread a term prepares the places of terms");
};

template <class C>
struct Shared {
  alignas(16) typename C::Sum g[2][C::tile_k * C::pitch];
  alignas(16) typename C::Sum source[2][C::tile_k * C::pitch];
  ConvPlace terms[C::side], pixels[2][C::tile_k];
  std::int64_t g_at[2][C::tile_k];
  ConvClass all;
};

// ---- Kernel -----------------------------------------------------------------------------------

// A pack goes to `size` neighbours in shared memory.
template <class Sum, class P>
__device__ __forceinline__ void put(Sum* slab, const P& pack) {
  MINIDL_UNROLL
  for (int v = 0; v < P::size; ++v) slab[v] = static_cast<Sum>(pack[v]);
}

// Loads steps over the pixels, through registers, into one half of shared memory while the other is
// multiplied.
template <class C>
struct Loader {
  using T = typename C::T;
  using P = Pack<T, C::pack>;
  const ConvLayout& layout;
  Shared<C>& shared;
  const T *g, *source;
  int channels, begin_pixel, end_pixel;
  P of_g[C::loads], of_source[C::loads];

  __device__ __forceinline__ ConvSlot slot(int load, bool along) const {
    return slot_of(static_cast<int>(threadIdx.x) + load * C::threads, C::tile_k, C::packs, along);
  }

  // Pixels beyond the part read zeros of both operands: zero times NaN would not be zero.
  __device__ __forceinline__ void place_pixels(int step) {
    const int thread = static_cast<int>(threadIdx.x);
    if (thread >= C::tile_k) return;
    const int pixel = begin_pixel + step * C::tile_k + thread;
    const bool inside = pixel < end_pixel;
    shared.pixels[step % 2][thread] =
        source_place(shared.all, layout, inside ? pixel : shared.all.pixels);
    shared.g_at[step % 2][thread] = inside ? target_offset(shared.all, layout, pixel) : 0;
  }

  __device__ __forceinline__ void load(int step) {
    MINIDL_UNROLL
    for (int i = 0; i < C::loads; ++i) {
      const auto [row, pack] = slot(i, layout.channels_fastest);
      of_source[i] = read_source<P>(source, layout, shared.pixels[step % 2][row],
                                    shared.terms + pack * C::pack);
      const auto [g_row, g_pack] = slot(i, layout.target_channels_last);
      const bool inside = begin_pixel + step * C::tile_k + g_row < end_pixel;
      of_g[i] = read_channels<P>(g + shared.g_at[step % 2][g_row], layout, g_pack * C::pack,
                                 inside ? channels : 0);
    }
  }

  __device__ __forceinline__ void store(int step) {
    MINIDL_UNROLL
    for (int i = 0; i < C::loads; ++i) {
      const auto [row, pack] = slot(i, layout.channels_fastest);
      put(shared.source[step % 2] + row * C::pitch + pack * C::pack, of_source[i]);
      const auto [g_row, g_pack] = slot(i, layout.target_channels_last);
      put(shared.g[step % 2] + g_row * C::pitch + g_pack * C::pack, of_g[i]);
    }
  }
};

template <class C>
__device__ __forceinline__ void multiply(const typename C::Sum* slab_g,
                                         const typename C::Sum* slab_source, int row, int column,
                                         typename C::Sum (&sum)[C::thread][C::thread]) {
  MINIDL_UNROLL
  for (int k = 0; k < C::tile_k; ++k) {
    typename C::Sum m[C::thread], n[C::thread];
    MINIDL_UNROLL
    for (int i = 0; i < C::thread; ++i) m[i] = slab_g[k * C::pitch + row * C::thread + i];
    MINIDL_UNROLL
    for (int j = 0; j < C::thread; ++j) n[j] = slab_source[k * C::pitch + column + j * C::across];
    MINIDL_UNROLL
    for (int i = 0; i < C::thread; ++i) {
      MINIDL_UNROLL
      for (int j = 0; j < C::thread; ++j) sum[i][j] += m[i] * n[j];
    }
  }
}

template <class C>
__global__ void __launch_bounds__(C::threads)
    conv_weight_grad_kernel(ConvWeightGrad<typename C::T, typename C::Sum> p) {
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

  const int row = thread / C::across, column = thread % C::across;
  typename C::Sum sum[C::thread][C::thread] = {};
  const int steps = (count + C::tile_k - 1) / C::tile_k;
  loader.place_pixels(0);
  loader.place_pixels(1);
  __syncthreads();
  loader.load(0);
  loader.store(0);
  __syncthreads();
  for (int step = 0; step < steps; ++step) {
    if (step + 1 < steps) loader.load(step + 1);
    if (step + 2 < steps) loader.place_pixels(step + 2);
    multiply<C>(shared.g[step % 2], shared.source[step % 2], row, column, sum);
    if (step + 1 < steps) loader.store(step + 1);
    __syncthreads();
  }

  MINIDL_UNROLL
  for (int i = 0; i < C::thread; ++i) {
    const int channel = row * C::thread + i;
    MINIDL_UNROLL
    for (int j = 0; j < C::thread; ++j) {
      const int term = part.term + column + j * C::across;
      if (channel < part.channels && term < p.terms) {
        p.partial[(part.line + channel) * p.terms + term] = sum[i][j];
      }
    }
  }
}

// ---- Launcher ---------------------------------------------------------------------------------

}  // namespace

template <class T, class Sum>
void conv_weight_grad_gemm(const ConvWeightGrad<T, Sum>& p, const ConvConfig&, Stream stream) {
  using C = Tile<T>;
  static_assert(sizeof(Shared<C>) <= plain_shared_bytes, "every GPU must have the memory");
  launch("conv_weight_grad", conv_weight_grad_kernel<C>,
         {.grid = {p.term_tiles * p.channel_tiles * p.layout.groups * p.parts},
          .block = {C::threads},
          .shared_bytes = sizeof(Shared<C>)},
         stream, p);
}

template void conv_weight_grad_gemm<Half, float>(const ConvWeightGrad<Half, float>&,
                                                 const ConvConfig&, Stream);
template void conv_weight_grad_gemm<BFloat16, float>(const ConvWeightGrad<BFloat16, float>&,
                                                     const ConvConfig&, Stream);
template void conv_weight_grad_gemm<float, float>(const ConvWeightGrad<float, float>&,
                                                  const ConvConfig&, Stream);
template void conv_weight_grad_gemm<double, double>(const ConvWeightGrad<double, double>&,
                                                    const ConvConfig&, Stream);

}  // namespace minidl::cuda
