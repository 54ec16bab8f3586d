// Batch and group norm of [samples, channels, size]: the planes of a channel, or the channels of a
// group, are contiguous runs. One piece of work takes a whole channel (group), whose second pass
// finds in the cache what the first one read.
#pragma once

#include "cpu/simd/norm_rows.h"

namespace minidl::cpu::MINIDL_ISA {

// y = (x - center) scale + shift
template <typename T>
struct Affine {
  T center, scale, shift;
};

// Normalisation with a mean in double, of which T holds the most part.
template <typename T>
MINIDL_INLINE Affine<T> affine(double mean, double inv_std, const T* weight, const T* bias,
                               int64_t channel) {
  const T center = static_cast<T>(mean);
  const double scale = weight == nullptr ? inv_std : inv_std * weight[channel];
  const double shift = bias == nullptr ? 0 : bias[channel];
  return {center, static_cast<T>(scale), static_cast<T>(shift - (mean - center) * scale)};
}

template <typename T>
MINIDL_INLINE void apply(const Affine<T> a, int64_t size, const T* x, T* y) {
  sweep<T>(size, [&](int64_t i, auto lanes, auto) {
    store(y + i, lanes, (load(x + i, lanes) - a.center) * a.scale + a.shift);
  });
}

// Sums over planes, with d = x - center: of d, g and g d.
struct Slopes {
  double d = 0, g = 0, gd = 0;
};

template <typename T>
Slopes slopes(const Runs<T>& x, const T* g, T center) {
  Slopes total;
  Chains<T> d_sum, g_sum, gd_sum;
  for_blocks<T>(
      x.count, x.size, x.stride,
      [&](int64_t offset, int64_t size) {
        const T *xs = x.first + offset, *gs = g + offset;
        sweep<T>(size, [&](int64_t i, auto lanes, auto chain) {
          const Vec<T> slope = load(gs + i, lanes), d = load(xs + i, lanes, center) - center;
          d_sum[chain] += d;
          g_sum[chain] += slope;
          gd_sum[chain] += slope * d;
        });
      },
      [&] {
        total.d += d_sum.sum();
        total.g += g_sum.sum();
        total.gd += gd_sum.sum();
        d_sum = g_sum = gd_sum = {};
      });
  return total;
}

// g_x = by_g g + by_d (x - center) + constant
template <typename T>
struct Gradient {
  T center, by_g, by_d, constant;
};

// From sums over the n elements that share statistics, `g` and `gd` those of g weight; `weight` is
// the channel's.
template <typename T>
MINIDL_INLINE Gradient<T> gradient(const Slopes& s, double n, T center, double inv_std,
                                   double weight) {
  const double off = s.d / n;  // what rounding took from the mean
  const double by_d = -inv_std * inv_std * inv_std * (s.gd - off * s.g) / n;
  return {center, static_cast<T>(inv_std * weight), static_cast<T>(by_d),
          static_cast<T>(-inv_std * s.g / n - by_d * off)};
}

template <typename T>
MINIDL_INLINE void apply(const Gradient<T> s, int64_t size, const T* g, const T* x, T* out) {
  sweep<T>(size, [&](int64_t i, auto lanes, auto) {
    store(out + i, lanes,
          load(g + i, lanes) * s.by_g + ((load(x + i, lanes) - s.center) * s.by_d + s.constant));
  });
}

// With constant statistics the inputs, which may be NaN, have no part in the gradient.
template <typename T>
MINIDL_INLINE void scale(T by_g, int64_t size, const T* g, T* out) {
  sweep<T>(size,
           [&](int64_t i, auto lanes, auto) { store(out + i, lanes, load(g + i, lanes) * by_g); });
}

template <typename T>
void batch_norm_planes(const ChannelNorm<T>& p, const T* x, T* y, T* mean, T* variance,
                       T* inv_std) {
  const int64_t stride = p.channels * p.size;
  const int64_t grain = larger(1, kNormGrain / (p.samples * p.size));
  parallel_for(p.channels, grain, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      const Moments found = moments(Runs<T>{x + c * p.size, p.samples, p.size, stride});
      const double inverse = 1 / std::sqrt(found.variance + p.eps);
      mean[c] = static_cast<T>(found.mean);
      variance[c] = static_cast<T>(found.variance);
      inv_std[c] = static_cast<T>(inverse);
      const Affine<T> a = affine(found.mean, inverse, p.weight, p.bias, c);
      for (int64_t n = 0; n < p.samples; ++n) {
        const int64_t offset = n * stride + c * p.size;
        apply(a, p.size, x + offset, y + offset);
      }
    }
  });
}

template <typename T>
void batch_norm_planes_inference(const ChannelNorm<T>& p, const T* x, const T* mean,
                                 const T* inv_std, T* y) {
  parallel_for(
      p.samples * p.channels, larger(1, kNormGrain / p.size), [&](int64_t begin, int64_t end) {
        for (int64_t plane = begin; plane < end; ++plane) {
          const int64_t c = plane % p.channels;
          const Affine<T> a = affine(static_cast<double>(mean[c]), inv_std[c], p.weight, p.bias, c);
          apply(a, p.size, x + plane * p.size, y + plane * p.size);
        }
      });
}

template <typename T>
void batch_norm_planes_backward(const ChannelNorm<T>& p, const T* g, const T* x, const T* mean,
                                const T* inv_std, bool training, const NormGradients<T>& out) {
  const int64_t stride = p.channels * p.size;
  const double n = static_cast<double>(p.samples * p.size);
  const int64_t grain = larger(1, kNormGrain / (p.samples * p.size));
  parallel_for(p.channels, grain, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      const int64_t first = c * p.size;
      const double weight = p.weight == nullptr ? 1 : p.weight[c];
      Slopes s;
      if (training || out.weight != nullptr || out.bias != nullptr) {
        s = slopes(Runs<T>{x + first, p.samples, p.size, stride}, g + first, mean[c]);
      }
      if (!training) s.d = 0;  // the mean is a constant, exact as it is
      if (out.weight != nullptr) {
        out.weight[c] = static_cast<T>((s.gd - s.d / n * s.g) * inv_std[c]);
      }
      if (out.bias != nullptr) out.bias[c] = static_cast<T>(s.g);
      if (out.input == nullptr) continue;
      const auto slope =
          gradient({s.d, weight * s.g, weight * s.gd}, n, mean[c], inv_std[c], weight);
      for (int64_t k = 0; k < p.samples; ++k) {
        const int64_t offset = k * stride + first;
        training ? apply(slope, p.size, g + offset, x + offset, out.input + offset)
                 : scale(slope.by_g, p.size, g + offset, out.input + offset);
      }
    }
  });
}

template <typename T>
void group_norm(const ChannelNorm<T>& p, const T* x, T* y, T* mean, T* inv_std) {
  const int64_t members = p.channels / p.groups, run = members * p.size;
  parallel_for(p.samples * p.groups, larger(1, kNormGrain / run), [&](int64_t begin, int64_t end) {
    for (int64_t group = begin; group < end; ++group) {
      const Moments found = moments(Runs<T>{x + group * run, 1, run, run});
      const double inverse = 1 / std::sqrt(found.variance + p.eps);
      mean[group] = static_cast<T>(found.mean);
      inv_std[group] = static_cast<T>(inverse);
      for (int64_t k = 0; k < members; ++k) {
        const int64_t c = group % p.groups * members + k, offset = group * run + k * p.size;
        apply(affine(found.mean, inverse, p.weight, p.bias, c), p.size, x + offset, y + offset);
      }
    }
  });
}

// Gradients of one group; those of the weight and bias of its channels go to w_sum[members],
// b_sum[members], which hold g and g d before.
template <typename T>
void group_gradient(const ChannelNorm<T>& p, const T* g, const T* x, T center, double inv_std,
                    const T* weight, double* w_sum, double* b_sum, T* g_input) {
  const int64_t members = p.channels / p.groups;
  Slopes all;
  for (int64_t k = 0; k < members; ++k) {
    const Slopes s = slopes(Runs<T>{x + k * p.size, 1, p.size, p.size}, g + k * p.size, center);
    const double w = weight == nullptr ? 1 : weight[k];
    all.d += s.d;
    all.g += w * s.g;
    all.gd += w * s.gd;
    w_sum[k] = s.gd;
    b_sum[k] = s.g;
  }
  const double n = static_cast<double>(members * p.size), off = all.d / n;
  for (int64_t k = 0; k < members; ++k) {
    w_sum[k] = (w_sum[k] - off * b_sum[k]) * inv_std;
    if (g_input == nullptr) continue;
    const double w = weight == nullptr ? 1 : weight[k];
    apply(gradient(all, n, center, inv_std, w), p.size, g + k * p.size, x + k * p.size,
          g_input + k * p.size);
  }
}

template <typename T>
void group_norm_backward(const ChannelNorm<T>& p, const T* g, const T* x, const T* mean,
                         const T* inv_std, const NormGradients<T>& out) {
  const int64_t members = p.channels / p.groups, run = members * p.size;
  const int64_t width = 2 * p.channels;
  double* sums = static_cast<double*>(
      thread_scratch(Slot::norm_shared, p.samples * width * static_cast<int64_t>(sizeof(double))));
  parallel_for(p.samples * p.groups, larger(1, kNormGrain / run), [&](int64_t begin, int64_t end) {
    for (int64_t group = begin; group < end; ++group) {
      const int64_t first = group % p.groups * members, offset = group * run;
      double* mine = sums + group / p.groups * width + first;
      group_gradient(p, g + offset, x + offset, mean[group], static_cast<double>(inv_std[group]),
                     p.weight == nullptr ? nullptr : p.weight + first, mine, mine + p.channels,
                     out.input == nullptr ? nullptr : out.input + offset);
    }
  });
  sum_pieces(p.samples, width, p.channels, sums, out.weight);
  sum_pieces(p.samples, width, p.channels, sums + p.channels, out.bias);
}

}  // namespace minidl::cpu::MINIDL_ISA
