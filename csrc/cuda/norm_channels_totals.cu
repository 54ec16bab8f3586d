// The second pass of batch and group norm: a warp a result combines what the parts came to.
#include "cuda/block_reduce.h"
#include "cuda/launch.h"
#include "cuda/moments.h"
#include "cuda/norm_channels_kernels.h"
#include "cuda/two_sums.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------

constexpr int warps = 4;  // of a block
constexpr int threads = 256;

// ---- Kernel -----------------------------------------------------------------------------------

// Combines, in every lane of a warp, parts [first_part, end_part) of channels [first, end), each
// weighted by fn(channel, state).
template <class State, class Op, class Real, class Weigh>
__device__ __forceinline__ State combine_parts(const Op& op, const Real* partial,
                                               std::int64_t channels, std::int64_t first,
                                               std::int64_t each, std::int64_t first_part,
                                               std::int64_t parts, const Weigh& weigh) {
  const State* states = reinterpret_cast<const State*>(partial);
  State state = op.identity();
  for (std::int64_t i = threadIdx.x; i < each * parts; i += warp_size) {
    const std::int64_t part = first_part + i / each, channel = first + i % each;
    state = op.combine(state, weigh(channel, states[part * channels + channel]));
  }
  return warp_reduce(op, state);
}

template <class T>
__global__ void __launch_bounds__(warps* warp_size) channel_statistics_kernel(ChannelTotals<T> a) {
  using Real = accumulator_t<T>;
  const std::int64_t index = blockIdx.x * static_cast<std::int64_t>(warps) + threadIdx.y;
  if (index >= a.sets.statistics()) return;  // whole warps
  const std::int64_t span = index / a.sets.per_span, group = index - span * a.sets.per_span;
  const auto state = combine_parts<Moments<Real>>(
      MomentsOp<Real>{}, a.partial, a.sets.channels, group * a.sets.channels_each,
      a.sets.channels_each, span * a.config.parts_per_span, a.config.parts_per_span,
      [](std::int64_t, const Moments<Real>& each) { return each; });
  if (threadIdx.x != 0) return;
  const Real nothing = state.count - state.count;     // 0
  const Real variance = state.squares / state.count;  // NaN of nothing
  a.mean[index] = state.count == 0 ? nothing / nothing : state.mean;
  if (a.variance) a.variance[index] = variance;
  a.inv_std[index] = 1 / std::sqrt(variance + a.eps);
}

template <class T>
__global__ void __launch_bounds__(warps* warp_size) channel_grad_means_kernel(ChannelTotals<T> a) {
  using Real = accumulator_t<T>;
  const std::int64_t index = blockIdx.x * static_cast<std::int64_t>(warps) + threadIdx.y;
  if (index >= a.sets.statistics()) return;  // whole warps
  const std::int64_t span = index / a.sets.per_span, group = index - span * a.sets.per_span;
  const auto sums = combine_parts<TwoSums<Real>>(
      TwoSumsOp<Real>{}, a.partial, a.sets.channels, group * a.sets.channels_each,
      a.sets.channels_each, span * a.config.parts_per_span, a.config.parts_per_span,
      [&](std::int64_t channel, const TwoSums<Real>& each) {
        const Real weight = a.weight.at(channel, 1);
        return TwoSums<Real>{each.first * weight, each.second * weight};
      });
  if (threadIdx.x != 0) return;
  const auto count = static_cast<Real>(a.sets.channels_each * a.sets.span);
  a.means[index] = sums.first / count;
  a.means[a.sets.statistics() + index] = sums.second / count;
}

template <class T>
__global__ void __launch_bounds__(warps* warp_size)
    channel_weight_grads_kernel(ChannelTotals<T> a) {
  using Real = accumulator_t<T>;
  const std::int64_t channel = blockIdx.x * static_cast<std::int64_t>(warps) + threadIdx.y;
  if (channel >= a.sets.channels) return;  // whole warps
  const auto sums =
      combine_parts<TwoSums<Real>>(TwoSumsOp<Real>{}, a.partial, a.sets.channels, channel, 1, 0,
                                   a.sets.spans * a.config.parts_per_span,
                                   [](std::int64_t, const TwoSums<Real>& each) { return each; });
  if (threadIdx.x != 0) return;
  if (a.dweight.data) a.dweight.store(channel, sums.second);
  if (a.dbias.data) a.dbias.store(channel, sums.first);
}

template <class T>
__global__ void __launch_bounds__(threads)
    inverse_deviations_kernel(const T* variance, T eps, T* inv_std, std::int64_t count) {
  const std::int64_t i = blockIdx.x * static_cast<std::int64_t>(threads) + threadIdx.x;
  if (i < count) inv_std[i] = 1 / std::sqrt(variance[i] + eps);
}

template <class R, class T>
__global__ void __launch_bounds__(threads)
    move_running_kernel(R* running, const T* statistic, T factor, T momentum, std::int64_t count) {
  const std::int64_t i = blockIdx.x * static_cast<std::int64_t>(threads) + threadIdx.x;
  if (i >= count) return;
  const T kept = static_cast<T>(running[i]) * (1 - momentum);
  running[i] =
      static_cast<R>(static_cast<accumulator_t<R>>(kept + statistic[i] * factor * momentum));
}

template <class T>
void start(const char* name, void (*kernel)(ChannelTotals<T>), const ChannelTotals<T>& arrays,
           std::int64_t results, Stream stream) {
  launch(name, kernel, {.grid = {(results + warps - 1) / warps}, .block = {warp_size, warps}},
         stream, arrays);
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T>
void channel_statistics(const ChannelTotals<T>& arrays, Stream stream) {
  start("channel_statistics", channel_statistics_kernel<T>, arrays, arrays.sets.statistics(),
        stream);
}

template <class T>
void channel_grad_means(const ChannelTotals<T>& arrays, Stream stream) {
  start("channel_grad_means", channel_grad_means_kernel<T>, arrays, arrays.sets.statistics(),
        stream);
}

template <class T>
void channel_weight_grads(const ChannelTotals<T>& arrays, Stream stream) {
  start("channel_weight_grads", channel_weight_grads_kernel<T>, arrays, arrays.sets.channels,
        stream);
}

template <class T>
void inverse_deviations(const T* variance, T eps, T* inv_std, std::int64_t count, Stream stream) {
  launch("inverse_deviations", inverse_deviations_kernel<T>,
         {.grid = {(count + threads - 1) / threads}, .block = {threads}}, stream, variance, eps,
         inv_std, count);
}

template <class R, class T>
void move_running(R* running, const T* statistic, T factor, T momentum, std::int64_t count,
                  Stream stream) {
  launch("move_running", move_running_kernel<R, T>,
         {.grid = {(count + threads - 1) / threads}, .block = {threads}}, stream, running,
         statistic, factor, momentum, count);
}

#define MINIDL_INSTANCE(T)                                                                    \
  template void channel_statistics<T>(const ChannelTotals<T>&, Stream);                       \
  template void channel_grad_means<T>(const ChannelTotals<T>&, Stream);                       \
  template void channel_weight_grads<T>(const ChannelTotals<T>&, Stream);                     \
  template void move_running<T, float>(T*, const float*, float, float, std::int64_t, Stream); \
  template void move_running<T, double>(T*, const double*, double, double, std::int64_t, Stream);
MINIDL_NORM_TYPES(MINIDL_INSTANCE)
#undef MINIDL_INSTANCE
template void inverse_deviations<float>(const float*, float, float*, std::int64_t, Stream);
template void inverse_deviations<double>(const double*, double, double*, std::int64_t, Stream);

}  // namespace minidl::cuda
