#include "cuda/norm_channels.h"

#include "cuda/norm_channels_kernels.h"
#include "cuda/walk_plan.h"

namespace minidl::cuda {
namespace {

constexpr std::int64_t state_words = 3;  // of the statistics' dtype, enough for either pass

ChannelSets sets_of(const Array& x, std::int64_t groups) {
  MINIDL_CHECK(x.rank() >= 2, "x must have a batch and channels, got shape ", spell(x.shape));
  const std::int64_t samples = x.shape[0], channels = x.shape[1];
  MINIDL_CHECK(groups >= 0 && (groups == 0 || channels % groups == 0), groups,
               " groups do not divide ", channels, " channels");
  std::int64_t space = 1;
  for (int d = 2; d < x.rank(); ++d) space *= x.shape[d];
  if (groups == 0) return {channels, 1, samples * space, 1, channels};
  return {channels, samples, space, std::max<std::int64_t>(channels / groups, 1), groups};
}

// The walk of x and g (x again where there is none) over the elements of a channel, the sample
// first, where it tells spans apart.
Walk<2> items_of(const Array& x, const Array& g, bool samples_first) {
  std::vector<WalkAxis<2>> axes = {{x.shape[0], {x.strides[0], g.strides[0]}}};
  for (int d = 2; d < x.rank(); ++d) axes.push_back({x.shape[d], {x.strides[d], g.strides[d]}});
  std::stable_sort(axes.begin() + samples_first, axes.end(), [](const auto& a, const auto& b) {
    return std::abs(a.stride[0]) > std::abs(b.stride[0]);
  });
  return merge_axes(axes);
}

ChannelConfig config_of(const ChannelSets& sets, const Walk<2>& items, const Array& x) {
  const std::int64_t step = items.dims == 0 ? 0 : std::abs(items.stride[items.dims - 1][0]);
  return select_channels({sets.channels, sets.spans, sets.span, std::abs(x.strides[1]), step});
}

template <class T>
using Real = accumulator_t<T>;

template <class T>
Real<T>* dense(const char* name, const Array& array, std::int64_t least, std::int64_t most) {
  check_dtype(name, array, dtype_of_statistics<T>);
  const std::int64_t count = array.count();
  MINIDL_CHECK(least <= count && count <= most, name, " must have ", least, " elements, got shape ",
               spell(array.shape));
  return array.as<Real<T>>();
}

template <class T>
Real<T>* statistic(const char* name, const Array& array, const ChannelSets& sets) {
  return dense<T>(name, array, sets.statistics(), sets.statistics());
}

template <class T>
ChannelParts<T> parts_of(const Array& x, const Array& g, std::int64_t groups,
                         const Array& partial) {
  ChannelParts<T> parts = {};
  parts.sets = sets_of(x, groups);
  parts.x = x.as<const T>();
  parts.x_channel = x.strides[1];
  parts.g_channel = g.strides[1];
  parts.items = items_of(x, g, groups != 0);
  parts.config = config_of(parts.sets, parts.items, x);
  const int inner = parts.items.dims - 1;
  parts.packs = !parts.config.across && inner >= 0 &&
                parts.items.size[inner] % Pack<T>::size == 0 && is_aligned(x.data) &&
                is_aligned(g.data) && x.strides[1] % Pack<T>::size == 0 &&
                g.strides[1] % Pack<T>::size == 0;
  for (int n = 0; parts.packs && n < 2; ++n) {
    for (int d = 0; d <= inner; ++d) {
      const std::int64_t stride = parts.items.stride[d][n];
      parts.packs = parts.packs && (d == inner ? stride == 1 : stride % Pack<T>::size == 0);
    }
  }
  parts.partial = dense<T>("partial", partial, norm_channels_workspace(x, groups), INT64_MAX);
  return parts;
}

template <class T>
ChannelTotals<T> totals_of(const ChannelParts<T>& parts) {
  ChannelTotals<T> totals = {};
  totals.partial = parts.partial;
  totals.sets = parts.sets;
  totals.config = parts.config;
  return totals;
}

// Every element of x, g (null: none) and out, with the numbers of its statistic and its channel.
template <class T>
ChannelElements<T> elements_of(const Array& x, const Array* g, const Array& out,
                               std::int64_t groups) {
  const ChannelSets sets = sets_of(x, groups);
  ChannelElements<T> elements = {};
  std::vector<WalkAxis<ChannelElements<T>::arrays>> axes;
  const auto add = [&](int d, std::int64_t size, std::int64_t times, std::int64_t of_statistic,
                       std::int64_t of_channel) {
    axes.push_back({size,
                    {x.strides[d] * times, (g ? *g : x).strides[d] * times, out.strides[d] * times,
                     of_statistic, of_channel}});
  };
  add(0, x.shape[0], 1, groups ? sets.per_span : 0, 0);
  add(1, sets.channels / sets.channels_each, sets.channels_each, 1, sets.channels_each);
  add(1, sets.channels_each, 1, 0, 1);
  for (int d = 2; d < x.rank(); ++d) add(d, x.shape[d], 1, 0, 0);
  std::stable_sort(axes.begin(), axes.end(), [](const auto& a, const auto& b) {
    return std::abs(a.stride[2]) > std::abs(b.stride[2]);
  });
  elements.walk = merge_axes(axes);
  elements.statistics = sets.statistics();
  elements.x = x.as<const T>();
  elements.g = g ? g->as<const T>() : nullptr;
  elements.out = out.as<T>();
  const int inner = elements.walk.dims - 1;
  elements.packs = inner >= 0 && elements.walk.size[inner] % Pack<T>::size == 0 &&
                   is_aligned(x.data) && is_aligned(out.data) && (!g || is_aligned(g->data));
  for (int n = 0; elements.packs && n < 3; ++n) {
    for (int d = 0; d <= inner; ++d) {
      const std::int64_t stride = elements.walk.stride[d][n];
      elements.packs = elements.packs && (d == inner ? stride == 1 : stride % Pack<T>::size == 0);
    }
  }
  return elements;
}

void check_like(const char* name, const Array& array, const Array& x) {
  check_dtype(name, array, x.dtype);
  check_shape(name, array, x.shape);
}

}  // namespace

std::int64_t norm_channels_workspace(const Array& x, std::int64_t groups) {
  const ChannelSets sets = sets_of(x, groups);
  const ChannelConfig config = config_of(sets, items_of(x, x, groups != 0), x);
  return sets.channels * sets.spans * config.parts_per_span * state_words;
}

void norm_statistics(const Array& x, std::int64_t groups, double eps, const Array& mean,
                     const Array* variance, const Array& inv_std, const Array& partial,
                     Stream stream) {
  with_floating_type("x", x, [&](auto zero) {
    using T = decltype(zero);
    const auto parts = parts_of<T>(x, x, groups, partial);
    auto totals = totals_of(parts);
    totals.mean = statistic<T>("mean", mean, parts.sets);
    if (variance) totals.variance = statistic<T>("variance", *variance, parts.sets);
    totals.inv_std = statistic<T>("inv_std", inv_std, parts.sets);
    totals.eps = static_cast<Real<T>>(eps);
    channel_moments(parts, stream);
    channel_statistics(totals, stream);
  });
}

void norm_apply(const Array& x, std::int64_t groups, const Array& mean, const Array& inv_std,
                const Array* weight, const Array* bias, const Array& y, Stream stream) {
  with_floating_type("x", x, [&](auto zero) {
    using T = decltype(zero);
    check_like("y", y, x);
    const ChannelSets sets = sets_of(x, groups);
    auto elements = elements_of<T>(x, nullptr, y, groups);
    elements.mean = statistic<T>("mean", mean, sets);
    elements.inv_std = statistic<T>("inv_std", inv_std, sets);
    elements.weight = to_affine<T>("weight", weight, sets.channels, x.dtype);
    elements.bias = to_affine<T>("bias", bias, sets.channels, x.dtype);
    channel_elements(elements, stream);
  });
}

void norm_channels_backward(const Array& g, const Array& x, std::int64_t groups,
                            const Array* weight, const Array& mean, const Array& inv_std, bool vary,
                            const ChannelNormGrads& grads, const Array& partial, const Array& means,
                            Stream stream) {
  with_floating_type("x", x, [&](auto zero) {
    using T = decltype(zero);
    check_like("g", g, x);
    auto parts = parts_of<T>(x, g, groups, partial);
    parts.g = g.as<const T>();
    parts.mean = statistic<T>("mean", mean, parts.sets);
    parts.inv_std = statistic<T>("inv_std", inv_std, parts.sets);
    auto totals = totals_of(parts);
    totals.means = dense<T>("means", means, 2 * parts.sets.statistics(), INT64_MAX);
    totals.weight = to_affine<T>("weight", weight, parts.sets.channels, x.dtype);
    totals.dweight = to_affine<T>("dweight", grads.dweight, parts.sets.channels, x.dtype);
    totals.dbias = to_affine<T>("dbias", grads.dbias, parts.sets.channels, x.dtype);
    const bool sums = grads.dweight || grads.dbias;
    if (sums || (vary && grads.dx)) channel_grad_sums(parts, stream);
    if (sums) channel_weight_grads(totals, stream);
    if (grads.dx == nullptr) return;
    if (vary) channel_grad_means(totals, stream);
    check_like("dx", *grads.dx, x);
    auto elements = elements_of<T>(x, &g, *grads.dx, groups);
    elements.mean = parts.mean;
    elements.inv_std = parts.inv_std;
    elements.means = vary ? totals.means : nullptr;
    elements.weight = totals.weight;
    channel_elements(elements, stream);
  });
}

void norm_inverse(const Array& variance, double eps, const Array& inv_std, Stream stream) {
  check_dtype("inv_std", inv_std, variance.dtype);
  check_shape("inv_std", inv_std, variance.shape);
  with_float_type("variance", variance, [&](auto zero) {
    using T = decltype(zero);
    inverse_deviations(variance.as<const T>(), static_cast<T>(eps), inv_std.as<T>(),
                       variance.count(), stream);
  });
}

void norm_update(const Array* running_mean, const Array* running_var, const Array& mean,
                 const Array& variance, double momentum, std::int64_t count, Stream stream) {
  check_dtype("variance", variance, mean.dtype);
  check_shape("variance", variance, mean.shape);
  const double unbiased =
      static_cast<double>(count) / static_cast<double>(std::max<std::int64_t>(count - 1, 1));
  with_float_type("mean", mean, [&](auto zero) {
    using T = decltype(zero);
    const auto move = [&](const char* name, const Array* running, const Array& statistic,
                          double factor) {
      if (running == nullptr) return;
      check_shape(name, *running, mean.shape);
      with_floating_type(name, *running, [&](auto kind) {
        move_running(running->as<decltype(kind)>(), statistic.as<const T>(), static_cast<T>(factor),
                     static_cast<T>(momentum), mean.count(), stream);
      });
    };
    move("running_mean", running_mean, mean, 1);
    move("running_var", running_var, variance, unbiased);
  });
}

}  // namespace minidl::cuda
