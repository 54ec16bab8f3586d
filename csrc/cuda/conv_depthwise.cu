// Depthwise convolution, one kernel a channel, and its gradient by the input: memory-bound, so
// nothing is multiplied in tiles. A thread computes a few pixels of one channel, or of a pack of
// channels where they lie next to each other; the weights of a block's channels wait in shared
// memory.
#include "cuda/conv_tile.h"
#include "cuda/launch.h"
#include "cuda/ptx/shared.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// Channels side by side and pixels of a block: conv_select.h.

template <class T_, int channels_>
struct Thread {
  using T = T_;
  using Sum = accumulator_t<T>;
  static constexpr int channels = channels_;            // of a pack
  static constexpr int pixels = conv_depthwise_pixels;  // at once: independent loads
};

constexpr int threads = conv_depthwise_threads;

template <class C>
struct Shared {
  ConvClass pixels;
  alignas(16) typename C::Sum weight[1];  // [tap][channel of the block]
};

// ---- Kernel -----------------------------------------------------------------------------------

template <class C>
__device__ __forceinline__ void stage_weight(Shared<C>& shared,
                                             const ConvDepthwise<typename C::T>& p,
                                             int first_channel, int channels) {
  const ConvClass& c = shared.pixels;
  for (int i = static_cast<int>(threadIdx.x); i < c.terms * channels; i += threads) {
    const int channel = i % channels;
    const bool inside = first_channel + channel < p.layout.groups;
    const ConvStrides strides = p.weight_strides;
    const std::int64_t at = (first_channel + channel) * strides.image +
                            tap_offset(c, term_at(c, i / channels), strides);
    shared.weight[i] = inside ? static_cast<typename C::Sum>(p.weight[at]) : typename C::Sum(0);
  }
}

template <class C>
using Sums = typename C::Sum[C::pixels][C::channels];

// Adds the taps of one row, whose weights begin at `weight`, to the sums of the pixels that meet
// the row inside the source.
template <class C>
__device__ __forceinline__ void add_row(Sums<C>& sum, const ConvDepthwise<typename C::T>& p,
                                        const ConvReach& reach, const typename C::T* const* row,
                                        const bool* meets, const int* column,
                                        const typename C::Sum* weight, int channels) {
  using P = Pack<typename C::T, C::channels>;
  const std::int64_t step = reach.step * p.layout.source.axis[2];
  for (int j = 0; j < reach.taps; ++j) {
    typename C::Sum w[C::channels];
    MINIDL_UNROLL
    for (int v = 0; v < C::channels; ++v) w[v] = weight[j * channels + v];
    MINIDL_UNROLL
    for (int i = 0; i < C::pixels; ++i) {
      const auto at = static_cast<unsigned>(column[i] + j * reach.step);
      if (!meets[i] || at >= static_cast<unsigned>(p.layout.axis[2].source)) continue;
      const P value = load_pack<P>(row[i] + j * step);
      MINIDL_UNROLL
      for (int v = 0; v < C::channels; ++v) {
        sum[i][v] += static_cast<typename C::Sum>(value[v]) * w[v];
      }
    }
  }
}

template <class C>
__device__ __forceinline__ void add_taps(Sums<C>& sum, const ConvDepthwise<typename C::T>& p,
                                         const ConvClass& c, const typename C::T* source,
                                         const ConvPlace* pixel, const typename C::Sum* weight,
                                         int channels) {
  int column[C::pixels];
  MINIDL_UNROLL
  for (int i = 0; i < C::pixels; ++i) column[i] = pixel[i].at[2];
  for (int z = 0; z < c.axis[0].taps; ++z) {
    for (int y = 0; y < c.axis[1].taps; ++y) {
      const typename C::T* row[C::pixels];
      bool meets[C::pixels];
      MINIDL_UNROLL
      for (int i = 0; i < C::pixels; ++i) {
        const int down = y * c.axis[1].step, deep = z * c.axis[0].step;
        meets[i] = static_cast<unsigned>(pixel[i].at[0] + deep) <
                       static_cast<unsigned>(p.layout.axis[0].source) &&
                   static_cast<unsigned>(pixel[i].at[1] + down) <
                       static_cast<unsigned>(p.layout.axis[1].source);
        row[i] = source + pixel[i].offset + deep * p.layout.source.axis[0] +
                 down * p.layout.source.axis[1];
      }
      const int taps = (z * c.axis[1].taps + y) * c.axis[2].taps;
      add_row<C>(sum, p, c.axis[2], row, meets, column, weight + taps * channels, channels);
    }
  }
}

template <class C>
__device__ __forceinline__ void write(const Sums<C>& sum, const ConvDepthwise<typename C::T>& p,
                                      const ConvClass& c, int first, int step, int channel) {
  using T = typename C::T;
  using P = Pack<T, C::channels>;
  typename C::Sum bias[C::channels];
  MINIDL_UNROLL
  for (int v = 0; v < C::channels; ++v) {
    bias[v] = p.bias ? static_cast<typename C::Sum>(p.bias[(channel + v) * p.bias_stride])
                     : typename C::Sum(0);
  }
  MINIDL_UNROLL
  for (int i = 0; i < C::pixels; ++i) {
    const int pixel = first + i * step;
    if (pixel >= c.pixels) return;
    P pack;
    MINIDL_UNROLL
    for (int v = 0; v < C::channels; ++v) pack[v] = T(sum[i][v] + bias[v]);
    store_pack(p.target + target_offset(c, p.layout, pixel) + channel * p.layout.target.channel,
               pack);
  }
}

template <class C>
__global__ void __launch_bounds__(threads, 2)
    conv_depthwise_kernel(ConvDepthwise<typename C::T> p) {
  Shared<C>& shared = *dynamic_shared<Shared<C>>();
  std::int64_t rest = blockIdx.x;
  const int channels = p.lanes * C::channels;  // of the block
  const int first_channel = static_cast<int>(rest % p.channel_tiles) * channels;
  rest /= p.channel_tiles;
  const std::int64_t first_pixel = rest % p.pixel_tiles * p.pixels_of_block;
  prepare_class(shared.pixels, p.layout, rest / p.pixel_tiles);
  const ConvClass& c = shared.pixels;
  stage_weight(shared, p, first_channel, channels);
  __syncthreads();

  const int lane = static_cast<int>(threadIdx.x) % p.lanes, across = threads / p.lanes;
  const int channel = first_channel + lane * C::channels;
  if (channel >= p.layout.groups) return;
  const typename C::T* source = p.source + channel * p.layout.source.channel;
  const std::int64_t last = first_pixel + p.pixels_of_block;
  for (std::int64_t at = first_pixel + threadIdx.x / p.lanes; at < last && at < c.pixels;
       at += across * C::pixels) {
    ConvPlace pixel[C::pixels];
    MINIDL_UNROLL
    for (int i = 0; i < C::pixels; ++i) {
      pixel[i] = source_place(c, p.layout, static_cast<int>(at) + i * across);
    }
    Sums<C> sum = {};
    add_taps<C>(sum, p, c, source, pixel, shared.weight + lane * C::channels, channels);
    write<C>(sum, p, c, static_cast<int>(at), across, channel);
  }
}

// ---- Launcher ---------------------------------------------------------------------------------

template <class C>
void run(const ConvDepthwise<typename C::T>& p, Stream stream) {
  std::int64_t blocks = p.pixel_tiles * p.channel_tiles, taps = 1;
  for (const ConvAxis& axis : p.layout.axis) {
    blocks *= axis.classes;
    taps *= conv_most_taps(axis, p.layout.direction);
  }
  const std::size_t weights = taps * p.lanes * C::channels * sizeof(typename C::Sum);
  launch("conv_depthwise", conv_depthwise_kernel<C>,
         {.grid = {blocks}, .block = {threads}, .shared_bytes = sizeof(Shared<C>) + weights},
         stream, p);
}

}  // namespace

template <class T>
void conv_depthwise(const ConvDepthwise<T>& p, Stream stream) {
  p.layout.depthwise_packs ? run<Thread<T, 16 / sizeof(T)>>(p, stream)
                           : run<Thread<T, 1>>(p, stream);
}

template void conv_depthwise<Half>(const ConvDepthwise<Half>&, Stream);
template void conv_depthwise<BFloat16>(const ConvDepthwise<BFloat16>&, Stream);
template void conv_depthwise<float>(const ConvDepthwise<float>&, Stream);
template void conv_depthwise<double>(const ConvDepthwise<double>&, Stream);

}  // namespace minidl::cuda
