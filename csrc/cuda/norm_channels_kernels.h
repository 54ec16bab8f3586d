// Between norm_channels.cpp, which plans, and the kernels norm_channels_<algorithm>.cu.
#pragma once

#include <cuda_runtime.h>

#include "cuda/affine.h"
#include "cuda/norm_channels_select.h"
#include "cuda/stream.h"
#include "cuda/walk.h"

namespace minidl::cuda {

// How channels and spans make up statistics: statistic number `span * per_span + group`, over
// `channels_each` channels of one span. Batch norm has one span, all elements of a channel; group
// norm has a span a sample.
struct ChannelSets {
  std::int64_t channels, spans, span;  // span: elements of a channel in it
  std::int64_t channels_each, per_span;

  __host__ __device__ std::int64_t statistics() const { return spans * per_span; }
};

// The first pass: what the parts of each channel come to.
template <class T>
struct ChannelParts {
  using Real = accumulator_t<T>;
  const T *x, *g;                     // g is null forward
  const Real *mean, *inv_std;         // backward
  Real* partial;                      // [parts][channels] of states
  Walk<2> items;                      // of x and g over the elements of a channel, spans slowest
  std::int64_t x_channel, g_channel;  // from channel to channel
  ChannelSets sets;
  ChannelConfig config;
  bool packs;  // elements of a channel are neighbours, whole packs, and aligned, in x and g
};

// The second pass: parts combined to statistics, or to sums and gradients of weight and bias.
template <class T>
struct ChannelTotals {
  using Real = accumulator_t<T>;
  const Real* partial;
  Real *mean, *variance, *inv_std;  // forward; variance may be null
  Real eps;
  Real* means;  // backward: [2][statistics]: means of g_hat and of g_hat x_hat, or null
  Affine<T> weight, dweight, dbias;
  ChannelSets sets;
  ChannelConfig config;
};

// The last pass: every element by the statistics of its channel.
template <class T>
struct ChannelElements {
  using Real = accumulator_t<T>;
  enum { at_x, at_g, at_out, at_statistic, at_channel, arrays };
  const T *x, *g;  // g is null forward
  T* out;
  const Real *mean, *inv_std;
  const Real* means;  // backward, or null where the statistics do not vary
  Affine<T> weight, bias;
  Walk<arrays> walk;
  std::int64_t statistics;
  bool packs;  // the innermost axis is whole packs, and aligned, in x, g and out
};

template <class T>
void channel_moments(const ChannelParts<T>& arrays, Stream stream);
template <class T>
void channel_grad_sums(const ChannelParts<T>& arrays, Stream stream);
template <class T>
void channel_statistics(const ChannelTotals<T>& arrays, Stream stream);
template <class T>
void channel_grad_means(const ChannelTotals<T>& arrays, Stream stream);
template <class T>
void channel_weight_grads(const ChannelTotals<T>& arrays, Stream stream);
template <class T>
void channel_elements(const ChannelElements<T>& arrays, Stream stream);

// T is float or double; R the dtype of the running one.
template <class T>
void inverse_deviations(const T* variance, T eps, T* inv_std, std::int64_t count, Stream stream);
template <class R, class T>
void move_running(R* running, const T* statistic, T factor, T momentum, std::int64_t count,
                  Stream stream);

}  // namespace minidl::cuda
