// The gradient by the weight of a depthwise convolution. A block sums a few taps of one channel, or
// of neighbouring channels where they lie next to each other, over one part of the pixels;
// conv_sum_parts adds the parts.
#include "cuda/conv_tile.h"
#include "cuda/launch.h"
#include "cuda/ptx/shared.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// Channels side by side and the number of parts: conv_select.h.

constexpr int threads = conv_depthwise_threads;
constexpr int taps = conv_depthwise_taps;  // that a thread sums at once, in registers

template <class Sum>
struct Shared {
  Sum sum[taps][threads];
  ConvPlace terms[taps];
  ConvClass all;
};

// ---- Kernel -----------------------------------------------------------------------------------

// The sums of the threads of each lane, in the first of them; in a fixed order.
template <class Sum>
__device__ __forceinline__ void add_threads(Shared<Sum>& shared, int lanes) {
  const int thread = static_cast<int>(threadIdx.x);
  for (int half = threads / 2; half >= lanes; half /= 2) {
    __syncthreads();
    if (thread < half) {
      MINIDL_UNROLL
      for (int t = 0; t < taps; ++t) shared.sum[t][thread] += shared.sum[t][thread + half];
    }
  }
  __syncthreads();
}

template <class T>
__global__ void __launch_bounds__(threads)
    conv_depthwise_weight_grad_kernel(ConvWeightGrad<T, accumulator_t<T>> p) {
  using Sum = accumulator_t<T>;
  Shared<Sum>& shared = *dynamic_shared<Shared<Sum>>();
  const ConvLayout& layout = p.layout;
  std::int64_t rest = blockIdx.x;
  const int first_tap = static_cast<int>(rest % p.term_tiles) * taps;
  rest /= p.term_tiles;
  const int first_channel = static_cast<int>(rest % p.channel_tiles) * p.lanes;
  const std::int64_t part = rest / p.channel_tiles;
  prepare_class(shared.all, layout, 0);
  const int thread = static_cast<int>(threadIdx.x);
  if (thread < taps) shared.terms[thread] = term_place(shared.all, layout, first_tap + thread);
  __syncthreads();

  const int channel = first_channel + thread % p.lanes;
  const bool active = channel < layout.groups;
  const T *g = p.g + channel * layout.target.channel,
          *source = p.source + channel * layout.source.channel;
  const std::int64_t begin = part * p.pixels_per_part, last = begin + p.pixels_per_part;
  const int end = static_cast<int>(last < shared.all.pixels ? last : shared.all.pixels);
  Sum sum[taps] = {};
  for (std::int64_t at = begin + thread / p.lanes; active && at < end; at += threads / p.lanes) {
    const ConvPlace pixel = source_place(shared.all, layout, static_cast<int>(at));
    const Sum factor = static_cast<Sum>(g[target_offset(shared.all, layout, static_cast<int>(at))]);
    MINIDL_UNROLL
    for (int t = 0; t < taps; ++t) {
      const ConvPlace& term = shared.terms[t];
      if (meet_inside(layout, pixel, term)) {
        sum[t] += factor * static_cast<Sum>(source[pixel.offset + term.offset]);
      }
    }
  }
  MINIDL_UNROLL
  for (int t = 0; t < taps; ++t) shared.sum[t][thread] = sum[t];
  add_threads(shared, p.lanes);
  for (int i = thread; i < taps * p.lanes; i += threads) {
    const int lane = i / taps, tap = i % taps;
    if (first_channel + lane < layout.groups && first_tap + tap < p.terms) {
      const std::int64_t line = part * layout.groups + first_channel + lane;
      p.partial[line * p.terms + first_tap + tap] = shared.sum[tap][lane];
    }
  }
}

// ---- Launcher ---------------------------------------------------------------------------------

}  // namespace

template <class T, class Sum>
void conv_depthwise_weight_grad(const ConvWeightGrad<T, Sum>& p, Stream stream) {
  static_assert(sizeof(Shared<Sum>) <= plain_shared_bytes, "every GPU must have the memory");
  launch("conv_depthwise_weight_grad", conv_depthwise_weight_grad_kernel<T>,
         {.grid = {p.term_tiles * p.channel_tiles * p.parts},
          .block = {threads},
          .shared_bytes = sizeof(Shared<Sum>)},
         stream, p);
}

template void conv_depthwise_weight_grad<Half, float>(const ConvWeightGrad<Half, float>&, Stream);
template void conv_depthwise_weight_grad<BFloat16, float>(const ConvWeightGrad<BFloat16, float>&,
                                                          Stream);
template void conv_depthwise_weight_grad<float, float>(const ConvWeightGrad<float, float>&, Stream);
template void conv_depthwise_weight_grad<double, double>(const ConvWeightGrad<double, double>&,
                                                         Stream);

}  // namespace minidl::cuda
