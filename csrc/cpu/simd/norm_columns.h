// Batch norm of [rows, channels]: of channels-last images and of plain features. Sums go down the
// columns, some rows a piece of work and four rows at a time.
#pragma once

#include "cpu/simd/norm_planes.h"

namespace minidl::cpu::MINIDL_ISA {

// How rows are dealt out: `pieces` of `grain` rows, by size alone.
struct RowPieces {
  int64_t rows, channels, grain, pieces;
};

template <typename T>
RowPieces row_pieces(const ChannelNorm<T>& p) {
  const int64_t rows = p.samples * p.size;
  const int64_t wanted = larger(1, smaller(64, rows * p.channels >> 15));
  const int64_t grain = (rows - 1) / wanted + 1;
  return {rows, p.channels, grain, (rows - 1) / grain + 1};
}

// totals[kSums][channels] = sums over all rows of what row_sums(row, count, sums[kSums][channels])
// adds for the rows [row, row + count). Within 64 rows sums are in T.
template <int kSums, typename T, typename RowSums>
void column_sums(const RowPieces& by, double* totals, const RowSums& row_sums) {
  constexpr int64_t kRowsInT = 64;
  const int64_t width = kSums * by.channels;
  double* partial = totals + width;  // [pieces][width]
  parallel_for(by.rows, by.grain, [&](int64_t begin, int64_t end) {
    T* sums = static_cast<T*>(thread_scratch(Slot::norm, width * static_cast<int64_t>(sizeof(T))));
    double* mine = partial + begin / by.grain * width;
    for (int64_t i = 0; i < width; ++i) sums[i] = T(0), mine[i] = 0;
    for (int64_t row = begin; row < end; row += kRowsInT) {
      row_sums(row, smaller(kRowsInT, end - row), sums);
      drain(width, sums, mine);
    }
  });
  for (int64_t i = 0; i < width; ++i) {
    totals[i] = 0;
    for (int64_t piece = 0; piece < by.pieces; ++piece) totals[i] += partial[piece * width + i];
  }
}

// Room for column_sums<kSums> and, behind, for `more` values of T a channel.
template <int kSums, typename T>
double* column_scratch(const RowPieces& by, int64_t more, T** rest) {
  const int64_t sums = (by.pieces + 1) * kSums * by.channels;
  const int64_t bytes = sums * static_cast<int64_t>(sizeof(double)) +
                        more * by.channels * static_cast<int64_t>(sizeof(T));
  double* memory = static_cast<double*>(thread_scratch(Slot::norm_shared, bytes));
  *rest = reinterpret_cast<T*>(memory + sums);
  return memory;
}

// Sums of d and d^2 down the columns, d = x - shift[channels].
template <typename T>
void add_moments(int64_t rows, int64_t channels, const T* x, const T* shift, T* sums) {
  for (int64_t r = 0; r < rows; r += 4) {
    const int64_t left = rows - r;
    sweep<T>(channels, [&](int64_t i, auto lanes, auto) {
      const Vec<T> about = load(shift + i, lanes);
      Vec<T> s = load(sums + i, lanes), q = load(sums + channels + i, lanes);
      const auto add = [&](int64_t k) {
        const Vec<T> d = load(x + (r + k) * channels + i, lanes) - about;
        s += d;
        q += d * d;
      };
      add(0);
      if (left > 1) add(1);
      if (left > 2) add(2);
      if (left > 3) add(3);
      store(sums + i, lanes, s);
      store(sums + channels + i, lanes, q);
    });
  }
}

// The same with d, g and g d.
template <typename T>
void add_slopes(int64_t rows, int64_t channels, const T* x, const T* g, const T* center, T* sums) {
  for (int64_t r = 0; r < rows; r += 4) {
    const int64_t left = rows - r;
    sweep<T>(channels, [&](int64_t i, auto lanes, auto) {
      const Vec<T> about = load(center + i, lanes);
      T *ds = sums + i, *gs = ds + channels, *gds = gs + channels;
      Vec<T> d_sum = load(ds, lanes), g_sum = load(gs, lanes), gd_sum = load(gds, lanes);
      const auto add = [&](int64_t k) {
        const int64_t at = (r + k) * channels + i;
        const Vec<T> d = load(x + at, lanes) - about, slope = load(g + at, lanes);
        d_sum += d;
        g_sum += slope;
        gd_sum += slope * d;
      };
      add(0);
      if (left > 1) add(1);
      if (left > 2) add(2);
      if (left > 3) add(3);
      store(ds, lanes, d_sum);
      store(gs, lanes, g_sum);
      store(gds, lanes, gd_sum);
    });
  }
}

// y = (x - center[channels]) scale[channels] + shift[channels]
template <typename T>
void apply_columns(const RowPieces& by, const T* x, const T* center, const T* scale, const T* shift,
                   T* y) {
  parallel_for(by.rows, larger(1, kNormGrain / by.channels), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const T* from = x + row * by.channels;
      T* to = y + row * by.channels;
      sweep<T>(by.channels, [&](int64_t i, auto lanes, auto) {
        const Vec<T> d = load(from + i, lanes) - load(center + i, lanes);
        store(to + i, lanes, d * load(scale + i, lanes) + load(shift + i, lanes));
      });
    }
  });
}

// As `moments`, of all columns: about the mean of the first rows, and where that was far off in
// some column, about the mean in all.
template <typename T>
void column_moments(const RowPieces& by, const T* x, double* totals, T* shift) {
  const int64_t channels = by.channels, first = smaller(16, by.rows);
  const double n = static_cast<double>(by.rows);
  for (int64_t c = 0; c < channels; ++c) shift[c] = T(0);
  for (int64_t row = 0; row < first; ++row) {
    for (int64_t c = 0; c < channels; ++c) shift[c] += x[row * channels + c];
  }
  for (int64_t c = 0; c < channels; ++c) shift[c] /= static_cast<T>(first);
  for (bool again = true, second = false; again; second = true) {
    column_sums<2, T>(by, totals, [&](int64_t row, int64_t count, T* sums) {
      add_moments(count, channels, x + row * channels, shift, sums);
    });
    again = false;
    for (int64_t c = 0; c < channels && !second; ++c) {
      const double off = totals[c] / n, variance = totals[channels + c] / n - off * off;
      again = again || off * off > 4 * variance;
    }
    for (int64_t c = 0; c < channels && again; ++c) {
      shift[c] = static_cast<T>(shift[c] + totals[c] / n);
    }
  }
}

template <typename T>
void batch_norm_columns(const ChannelNorm<T>& p, const T* x, T* y, T* mean, T* variance,
                        T* inv_std) {
  const RowPieces by = row_pieces(p);
  T* about;
  double* totals = column_scratch<2>(by, 3, &about);
  column_moments(by, x, totals, about);
  T *scale = about + p.channels, *shift = scale + p.channels;
  const double n = static_cast<double>(by.rows);
  for (int64_t c = 0; c < p.channels; ++c) {
    const double off = totals[c] / n, found = totals[p.channels + c] / n - off * off;
    const double exact = about[c] + off, biased = found < 0 ? 0 : found;
    const double inverse = 1 / std::sqrt(biased + p.eps);
    mean[c] = static_cast<T>(exact);
    variance[c] = static_cast<T>(biased);
    inv_std[c] = static_cast<T>(inverse);
    const Affine<T> a = affine(exact, inverse, p.weight, p.bias, c);
    scale[c] = a.scale;
    shift[c] = a.shift;
  }
  apply_columns(by, x, mean, scale, shift, y);
}

template <typename T>
void batch_norm_columns_inference(const ChannelNorm<T>& p, const T* x, const T* mean,
                                  const T* inv_std, T* y) {
  const RowPieces by = row_pieces(p);
  T* scale;
  column_scratch<0>(by, 2, &scale);
  T* shift = scale + p.channels;
  for (int64_t c = 0; c < p.channels; ++c) {
    const Affine<T> a = affine(static_cast<double>(mean[c]), inv_std[c], p.weight, p.bias, c);
    scale[c] = a.scale;
    shift[c] = a.shift;
  }
  apply_columns(by, x, mean, scale, shift, y);
}

template <typename T>
void batch_norm_columns_backward(const ChannelNorm<T>& p, const T* g, const T* x, const T* mean,
                                 const T* inv_std, bool training, const NormGradients<T>& out) {
  const RowPieces by = row_pieces(p);
  const int64_t channels = p.channels;
  const double n = static_cast<double>(by.rows);
  T* by_g;
  double* totals = column_scratch<3>(by, 3, &by_g);
  T *by_d = by_g + channels, *constant = by_d + channels;
  column_sums<3, T>(by, totals, [&](int64_t row, int64_t count, T* sums) {
    add_slopes(count, channels, x + row * channels, g + row * channels, mean, sums);
  });
  for (int64_t c = 0; c < channels; ++c) {
    const double weight = p.weight == nullptr ? 1 : p.weight[c];
    const Slopes s{training ? totals[c] : 0, totals[channels + c], totals[2 * channels + c]};
    if (out.weight != nullptr) {
      out.weight[c] = static_cast<T>((s.gd - s.d / n * s.g) * inv_std[c]);
    }
    if (out.bias != nullptr) out.bias[c] = static_cast<T>(s.g);
    const auto slope = gradient({s.d, weight * s.g, weight * s.gd}, n, mean[c],
                                static_cast<double>(inv_std[c]), weight);
    by_g[c] = slope.by_g;
    by_d[c] = slope.by_d;
    constant[c] = slope.constant;
  }
  if (out.input == nullptr) return;
  parallel_for(by.rows, larger(1, kNormGrain / channels), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const T *xs = x + row * channels, *gs = g + row * channels;
      T* to = out.input + row * channels;
      if (!training) {  // as in scale(): not a function of x
        sweep<T>(channels, [&](int64_t i, auto lanes, auto) {
          store(to + i, lanes, load(gs + i, lanes) * load(by_g + i, lanes));
        });
        continue;
      }
      sweep<T>(channels, [&](int64_t i, auto lanes, auto) {
        const Vec<T> d = load(xs + i, lanes) - load(mean + i, lanes);
        store(to + i, lanes,
              load(gs + i, lanes) * load(by_g + i, lanes) +
                  (d * load(by_d + i, lanes) + load(constant + i, lanes)));
      });
    }
  });
}

}  // namespace minidl::cpu::MINIDL_ISA
