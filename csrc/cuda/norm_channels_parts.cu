// The first pass of batch and group norm: moments, or sums of the gradient, of parts of channels. A
// warp or a block a part where a channel's elements are neighbours in memory; where channels are
// (channels-last), neighbouring threads take neighbouring channels.
#include "cuda/block_reduce.h"
#include "cuda/launch.h"
#include "cuda/moments.h"
#include "cuda/norm_channels_kernels.h"
#include "cuda/ptx/shared.h"
#include "cuda/two_sums.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// Threads a channel and parts: norm_channels_select.h.

constexpr int loads_ahead = 4;  // elements that a thread asks for together

// ---- Kernel -----------------------------------------------------------------------------------

// What one pass makes of n elements, of which the first `count` count.
template <class T>
struct MomentsPass {
  using Real = accumulator_t<T>;
  using State = Moments<Real>;
  MomentsOp<Real> op;

  __device__ MomentsPass(const ChannelParts<T>&, std::int64_t) {}
  template <int n>
  __device__ __forceinline__ State gather(const Real (&x)[n], const Real (&)[n], int count) const {
    return op.of(x, count);
  }
};

// Sums of g and of g x_hat.
template <class T>
struct GradPass {
  using Real = accumulator_t<T>;
  using State = TwoSums<Real>;
  TwoSumsOp<Real> op;
  Real mean, inv_std;

  __device__ GradPass(const ChannelParts<T>& a, std::int64_t statistic)
      : mean(a.mean[statistic]), inv_std(a.inv_std[statistic]) {}
  template <int n>
  __device__ __forceinline__ State gather(const Real (&x)[n], const Real (&g)[n], int count) const {
    State sums = {0, 0};
    MINIDL_UNROLL
    for (int k = 0; k < n; ++k) {
      sums.first += k < count ? g[k] : Real(0);
      sums.second += k < count ? g[k] * ((x[k] - mean) * inv_std) : Real(0);
    }
    return sums;
  }
};

// Packs of neighbours: the elements from first, first + n step, ... on, before `end` of a channel.
template <class T, class Pass>
__device__ __forceinline__ auto pass_over_packs(const ChannelParts<T>& a, const Pass& pass,
                                                const T* x, const T* g, std::int64_t first,
                                                std::int64_t end, int step) {
  using Real = accumulator_t<T>;
  constexpr int n = Pack<T>::size;
  auto state = pass.op.identity();
  for (std::int64_t i = first; i < end; i += n * step) {
    const Offsets<2> at = a.items.at(i);
    const auto x_pack = load_pack<Pack<T>>(x + at.in[0]);
    Pack<T> g_pack = {};
    if (g) g_pack = load_pack<Pack<T>>(g + at.in[1]);
    Real value[n], slope[n];
    MINIDL_UNROLL
    for (int k = 0; k < n; ++k) {
      value[k] = static_cast<Real>(x_pack[k]);
      slope[k] = static_cast<Real>(g_pack[k]);
    }
    state = pass.op.combine(state, pass.gather(value, slope, n));
  }
  return state;
}

// Elements first, first + step, ... before `end` of a channel.
template <class T, class Pass>
__device__ __forceinline__ auto pass_over(const ChannelParts<T>& a, const Pass& pass, const T* x,
                                          const T* g, std::int64_t first, std::int64_t end,
                                          int step) {
  using Real = accumulator_t<T>;
  const bool merged = a.items.dims <= 1;  // no division then
  auto state = pass.op.identity();
  for (std::int64_t i = first; i < end; i += loads_ahead * step) {
    const std::int64_t left = (end - i + step - 1) / step;
    const int count = static_cast<int>(left < loads_ahead ? left : loads_ahead);
    Real value[loads_ahead], slope[loads_ahead];
    MINIDL_UNROLL
    for (int k = 0; k < loads_ahead; ++k) {
      const std::int64_t item = k < count ? i + k * step : i;
      Offsets<2> at = {{item * a.items.stride[0][0], item * a.items.stride[0][1]}};
      if (!merged) at = a.items.at(item);
      value[k] = static_cast<Real>(x[at.in[0]]);
      slope[k] = g ? static_cast<Real>(g[at.in[1]]) : Real(0);
    }
    state = pass.op.combine(state, pass.gather(value, slope, count));
  }
  return state;
}

template <class T, template <class> class Pass>
__global__ void __launch_bounds__(256) channel_parts_kernel(ChannelParts<T> a) {
  using State = typename Pass<T>::State;
  const ChannelConfig& config = a.config;
  const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);
  const std::int64_t parts = a.sets.spans * config.parts_per_span;
  const std::int64_t part = blockIdx.x % parts, span = part / config.parts_per_span;
  const std::int64_t channel =
      blockIdx.x / parts * config.channels_per_block + (config.across ? x : 0);
  const bool active = channel < a.sets.channels;
  const std::int64_t start = (part - span * config.parts_per_span) * config.part;
  const std::int64_t end = start + config.part < a.sets.span ? start + config.part : a.sets.span;
  const std::int64_t own = active ? channel : 0;
  const Pass<T> pass(a, span * a.sets.per_span + own / a.sets.channels_each);
  State state = pass.op.identity();
  if (active) {
    const T *from = a.x + own * a.x_channel, *slopes = a.g ? a.g + own * a.g_channel : nullptr;
    const std::int64_t before = span * a.sets.span;
    const int step = config.threads_per_channel;
    const auto alone = [&] {
      return pass_over(a, pass, from, slopes, before + start + (config.across ? y : x),
                       before + end, step);
    };
    if constexpr (sizeof(T) < sizeof(double)) {  // two doubles at once would gain little
      state = a.packs ? pass_over_packs(a, pass, from, slopes, before + start + x * Pack<T>::size,
                                        before + end, step)
                      : alone();
    } else {
      state = alone();
    }
  }
  State* shared = dynamic_shared<State>();
  if (!config.across) {
    state = block_reduce_all(pass.op, state, shared, x, config.threads_per_channel);
  } else {
    shared[y * warp_size + x] = state;
    __syncthreads();
    state = shared[x];
    for (int other = 1; other < config.threads_per_channel; ++other)
      state = pass.op.combine(state, shared[other * warp_size + x]);
  }
  if (!active || (config.across ? y : x) != 0) return;
  reinterpret_cast<State*>(a.partial)[part * a.sets.channels + channel] = state;
}

template <class T, template <class> class Pass>
void start(const char* name, const ChannelParts<T>& arrays, Stream stream) {
  const ChannelConfig& config = arrays.config;
  const std::int64_t blocks =
      (arrays.sets.channels + config.channels_per_block - 1) / config.channels_per_block;
  LaunchShape shape = {.grid = {blocks * arrays.sets.spans * config.parts_per_span},
                       .block = {config.threads_per_channel},
                       .shared_bytes = 256 * sizeof(typename Pass<T>::State)};
  if (config.across) shape.block = {config.channels_per_block, config.threads_per_channel};
  launch(name, channel_parts_kernel<T, Pass>, shape, stream, arrays);
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T>
void channel_moments(const ChannelParts<T>& arrays, Stream stream) {
  start<T, MomentsPass>("channel_moments", arrays, stream);
}

template <class T>
void channel_grad_sums(const ChannelParts<T>& arrays, Stream stream) {
  start<T, GradPass>("channel_grad_sums", arrays, stream);
}

#define MINIDL_INSTANCE(T)                                          \
  template void channel_moments<T>(const ChannelParts<T>&, Stream); \
  template void channel_grad_sums<T>(const ChannelParts<T>&, Stream);
MINIDL_NORM_TYPES(MINIDL_INSTANCE)
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
