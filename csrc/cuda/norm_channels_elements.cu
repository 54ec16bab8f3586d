// The last pass of batch and group norm, forward and backward: every element by the statistics of
// its channel. Neighbours in memory come as packs of 16 bytes, whichever axis they lie along.
#include "cuda/launch.h"
#include "cuda/norm_channels_kernels.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------

constexpr int threads = 256;

// ---- Kernel -----------------------------------------------------------------------------------

// y, or dx where there is a gradient.
template <class T>
__device__ __forceinline__ T element(const ChannelElements<T>& a, T x, T g, std::int64_t statistic,
                                     std::int64_t channel) {
  using Real = accumulator_t<T>;
  const Real inv_std = a.inv_std[statistic], weight = a.weight.at(channel, 1);
  if (a.g && a.means == nullptr) return static_cast<T>(static_cast<Real>(g) * weight * inv_std);
  const Real x_hat = (static_cast<Real>(x) - a.mean[statistic]) * inv_std;
  if (a.g == nullptr) return static_cast<T>(x_hat * weight + a.bias.at(channel, 0));
  const Real centred = static_cast<Real>(g) * weight - a.means[statistic] -
                       x_hat * a.means[a.statistics + statistic];
  return static_cast<T>(centred * inv_std);
}

template <class T>
__global__ void __launch_bounds__(threads) channel_elements_kernel(ChannelElements<T> a) {
  constexpr int n = Pack<T>::size;
  const std::int64_t index = blockIdx.x * static_cast<std::int64_t>(threads) + threadIdx.x;
  const std::int64_t first = index * n;
  if (first >= a.walk.count) return;
  if (a.packs) {
    const auto at = a.walk.at(first);
    const int inner = a.walk.dims - 1;
    const std::int64_t statistic_step = a.walk.stride[inner][a.at_statistic];
    const std::int64_t channel_step = a.walk.stride[inner][a.at_channel];
    const auto x = load_pack<Pack<T>>(a.x + at.in[a.at_x]);
    Pack<T> g = {}, out;
    if (a.g) g = load_pack<Pack<T>>(a.g + at.in[a.at_g]);
    MINIDL_UNROLL
    for (int k = 0; k < n; ++k) {
      out[k] = element(a, x[k], g[k], at.in[a.at_statistic] + k * statistic_step,
                       at.in[a.at_channel] + k * channel_step);
    }
    store_pack(a.out + at.in[a.at_out], out);
    return;
  }
  for (int k = 0; k < n && first + k < a.walk.count; ++k) {
    const auto at = a.walk.at(first + k);
    const T g = a.g ? a.g[at.in[a.at_g]] : T{};
    a.out[at.in[a.at_out]] =
        element(a, a.x[at.in[a.at_x]], g, at.in[a.at_statistic], at.in[a.at_channel]);
  }
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T>
void channel_elements(const ChannelElements<T>& arrays, Stream stream) {
  const std::int64_t packs = (arrays.walk.count + Pack<T>::size - 1) / Pack<T>::size;
  launch("channel_elements", channel_elements_kernel<T>,
         {.grid = {(packs + threads - 1) / threads}, .block = {threads}}, stream, arrays);
}

#define MINIDL_INSTANCE(T) template void channel_elements<T>(const ChannelElements<T>&, Stream);
MINIDL_NORM_TYPES(MINIDL_INSTANCE)
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
