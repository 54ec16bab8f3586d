// Layer and RMS norm: statistics of each row of [rows, size], which stays in the cache from the
// first pass over it to the last. RMS norm is layer norm with the mean left out (kCentered false).
#pragma once

#include <cmath>

#include "cpu/norm.h"
#include "cpu/scratch.h"
#include "cpu/simd/moments.h"
#include "cpu/thread_pool.h"

namespace minidl::cpu::MINIDL_ISA {

inline constexpr int64_t kNormGrain = 1 << 14;  // elements: a few microseconds

// body(std::true_type) or body(std::false_type)
template <typename Body>
MINIDL_INLINE void choose(bool flag, const Body& body) {
  flag ? body(std::true_type{}) : body(std::false_type{});
}

template <typename T>
double mean_of_squares(const T* x, int64_t size) {
  double squares = 0;
  Chains<T> q;
  for_blocks<T>(
      1, size, size,
      [&](int64_t offset, int64_t block) {
        sweep<T>(block, [&](int64_t i, auto lanes, auto chain) {
          const Vec<T> v = load(x + offset + i, lanes);
          q[chain] += v * v;
        });
      },
      [&] {
        squares += q.sum();
        q = {};
      });
  return squares / static_cast<double>(size);
}

// y = ((x - center) scale + shift) weight + bias, with what there is of the latter
template <bool kWeight, bool kBias, typename T>
MINIDL_INLINE void scale_row(int64_t size, const T* x, T center, T scale, T shift, const T* weight,
                             const T* bias, T* y) {
  sweep<T>(size, [&](int64_t i, auto lanes, auto) {
    Vec<T> v = (load(x + i, lanes) - center) * scale + shift;
    if constexpr (kWeight) v *= load(weight + i, lanes);
    if constexpr (kBias) v += load(bias + i, lanes);
    store(y + i, lanes, v);
  });
}

template <bool kCentered, typename T>
void norm_rows(const RowNorm<T>& p, const T* x, T* y, T* mean, T* inv_std) {
  choose(p.weight != nullptr, [&](auto weight) {
    choose(p.bias != nullptr, [&](auto bias) {
      parallel_for(p.rows, larger(1, kNormGrain / p.size), [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row) {
          const T* from = x + row * p.size;
          Moments found{0, 0};
          if constexpr (kCentered) {
            found = moments(Runs<T>{from, 1, p.size, p.size});
            mean[row] = static_cast<T>(found.mean);
          } else {
            found.variance = mean_of_squares(from, p.size);
          }
          const double inverse = 1 / std::sqrt(found.variance + p.eps);
          const T center = static_cast<T>(found.mean);
          inv_std[row] = static_cast<T>(inverse);
          scale_row<weight, bias>(p.size, from, center, inv_std[row],
                                  static_cast<T>((center - found.mean) * inverse), p.weight, p.bias,
                                  y + row * p.size);
        }
      });
    });
  });
}

// What the gradient of a row needs: x_hat = (x - center) scale + shift, and with g_hat = g weight
// g_x = scale (g_hat - constant - slope x_hat).
template <typename T>
struct RowSlopes {
  T center, scale, shift, constant, slope;
};

template <bool kCentered, bool kWeight, typename T>
RowSlopes<T> row_slopes(int64_t size, const T* g, const T* x, const T* weight, T center, T scale) {
  double ds = 0, gs = 0, gds = 0;
  Chains<T> d_sum, g_sum, gd_sum;
  for_blocks<T>(
      1, size, size,
      [&](int64_t offset, int64_t block) {
        sweep<T>(block, [&](int64_t i, auto lanes, auto chain) {
          Vec<T> slope = load(g + offset + i, lanes);
          if constexpr (kWeight) slope *= load(weight + offset + i, lanes);
          const Vec<T> d = load(x + offset + i, lanes, center) - center;
          if constexpr (kCentered) {
            d_sum[chain] += d;
            g_sum[chain] += slope;
          }
          gd_sum[chain] += slope * d;
        });
      },
      [&] {
        ds += d_sum.sum();
        gs += g_sum.sum();
        gds += gd_sum.sum();
        d_sum = g_sum = gd_sum = {};
      });
  const double n = static_cast<double>(size), off = ds / n;  // what rounding took from the mean
  return {center, scale, static_cast<T>(-off * scale), static_cast<T>(gs / n),
          static_cast<T>((gds - off * gs) * scale / n)};
}

// Gradients of rows [begin, end); those of weight and bias are added to w_sum[size], b_sum[size].
template <bool kCentered, bool kWeight, typename T>
void norm_rows_gradient(const RowNorm<T>& p, const T* g, const T* x, const T* mean,
                        const T* inv_std, T* g_input, bool params, T* w_sum, T* b_sum,
                        int64_t row) {
  g += row * p.size;
  x += row * p.size;
  const RowSlopes<T> s = row_slopes<kCentered, kWeight>(p.size, g, x, p.weight,
                                                        kCentered ? mean[row] : T(0), inv_std[row]);
  T* to = g_input == nullptr ? nullptr : g_input + row * p.size;
  choose(params, [&](auto with_params) {
    choose(to != nullptr, [&](auto with_input) {
      sweep<T>(p.size, [&](int64_t i, auto lanes, auto) {
        const Vec<T> slope = load(g + i, lanes);
        const Vec<T> x_hat = (load(x + i, lanes) - s.center) * s.scale + s.shift;
        if constexpr (with_input) {
          Vec<T> g_hat = slope;
          if constexpr (kWeight) g_hat *= load(p.weight + i, lanes);
          store(to + i, lanes, ((g_hat - s.constant) - x_hat * s.slope) * s.scale);
        }
        if constexpr (with_params) {
          store(w_sum + i, lanes, load(w_sum + i, lanes) + slope * x_hat);
          if constexpr (kCentered) store(b_sum + i, lanes, load(b_sum + i, lanes) + slope);
        }
      });
    });
  });
}

// Adds `count` elements of T to doubles and leaves zeros in their place.
template <typename T>
void drain(int64_t count, T* from, double* to) {
  for (int64_t i = 0; i < count; ++i) {
    to[i] += from[i];
    from[i] = T(0);
  }
}

// out = the sum over the pieces of partial[piece * stride + i]
template <typename T>
void sum_pieces(int64_t pieces, int64_t stride, int64_t size, const double* partial, T* out) {
  if (out == nullptr) return;
  parallel_for(size, 512, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      double sum = 0;
      for (int64_t piece = 0; piece < pieces; ++piece) sum += partial[piece * stride + i];
      out[i] = static_cast<T>(sum);
    }
  });
}

template <bool kCentered, typename T>
void norm_rows_backward(const RowNorm<T>& p, const T* g, const T* x, const T* mean,
                        const T* inv_std, const NormGradients<T>& out) {
  constexpr int64_t kRowsInFloat = 64;  // sums of weights' gradients stay in T for so many rows
  const bool params = out.weight != nullptr || out.bias != nullptr;
  const int64_t wanted = larger(1, smaller(64, p.rows * p.size >> 16));
  const int64_t grain = larger((p.rows - 1) / wanted + 1, params ? 8 : 1);
  const int64_t pieces = (p.rows - 1) / grain + 1, width = 2 * p.size;
  double* partial = nullptr;
  if (params) {
    const auto bytes = pieces * width * static_cast<int64_t>(sizeof(double));
    partial = static_cast<double*>(thread_scratch(Slot::norm_shared, bytes));
  }
  choose(p.weight != nullptr, [&](auto weight) {
    parallel_for(p.rows, grain, [&](int64_t begin, int64_t end) {
      T* sums = nullptr;
      double* mine = nullptr;
      if (params) {
        sums = static_cast<T*>(thread_scratch(Slot::norm, width * static_cast<int64_t>(sizeof(T))));
        mine = partial + begin / grain * width;
        for (int64_t i = 0; i < width; ++i) sums[i] = T(0), mine[i] = 0;
      }
      for (int64_t row = begin; row < end; ++row) {
        norm_rows_gradient<kCentered, weight>(p, g, x, mean, inv_std, out.input, params, sums,
                                              sums + p.size, row);
        const bool last = row + 1 == end || (row + 1 - begin) % kRowsInFloat == 0;
        if (params && last) drain(width, sums, mine);
      }
    });
  });
  if (!params) return;
  sum_pieces(pieces, width, p.size, partial, out.weight);
  sum_pieces(pieces, width, p.size, partial + p.size, out.bias);
}

}  // namespace minidl::cpu::MINIDL_ISA
