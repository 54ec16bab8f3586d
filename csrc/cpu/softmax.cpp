#include "cpu/softmax.h"

#include <cmath>

#include "cpu/exp.h"

namespace minidl::cpu {

template <typename T>
void softmax(Rows rows, const T* input, T* output) {
  for_tiles(rows, [=](const Tile& tile) {
    const T* x = input + tile.offset;
    T* y = output + tile.offset;
    T max[kTile], scale[kTile];
    double sum[kTile];
    column_max(tile, x, max);
    column_sums<T>(
        tile, [&](auto i, auto j, auto) { return y[i] = exp_nonpositive(x[i] - max[j]); }, sum);
    for (int64_t j = 0; j < tile.width; ++j) scale[j] = static_cast<T>(1 / sum[j]);
    each(tile, [&](auto i, auto j, auto) { y[i] *= scale[j]; });
  });
}

template <typename T>
void log_softmax(Rows rows, const T* input, T* output) {
  for_tiles(rows, [=](const Tile& tile) {
    const T* x = input + tile.offset;
    T* y = output + tile.offset;
    T max[kTile], log_sum[kTile];
    double sum[kTile];
    column_max(tile, x, max);
    column_sums<T>(tile, [&](auto i, auto j, auto) { return exp_nonpositive(x[i] - max[j]); }, sum);
    for (int64_t j = 0; j < tile.width; ++j) log_sum[j] = static_cast<T>(std::log(sum[j]));
    each(tile, [&](auto i, auto j, auto) { y[i] = (x[i] - max[j]) - log_sum[j]; });
  });
}

template <typename T>
void softmax_backward(Rows rows, const T* grad, const T* output, T* grad_input) {
  for_tiles(rows, [=](const Tile& tile) {
    const T *g = grad + tile.offset, *y = output + tile.offset;
    T* out = grad_input + tile.offset;
    double sum[kTile];
    column_sums<T>(tile, [&](auto i, auto, auto) { return g[i] * y[i]; }, sum);
    each(tile, [&](auto i, auto j, auto) { out[i] = y[i] * (g[i] - static_cast<T>(sum[j])); });
  });
}

template <typename T>
void log_softmax_backward(Rows rows, const T* grad, const T* output, T* grad_input) {
  for_tiles(rows, [=](const Tile& tile) {
    const T *g = grad + tile.offset, *y = output + tile.offset;
    T* out = grad_input + tile.offset;
    double sum[kTile];
    column_sums<T>(tile, [&](auto i, auto, auto) { return g[i]; }, sum);
    each(tile, [&](auto i, auto j, auto) {
      out[i] = g[i] - exp_nonpositive(y[i]) * static_cast<T>(sum[j]);
    });
  });
}

template <typename T>
double cross_entropy(const CrossEntropy& problem, const T* input, const int64_t* targets,
                     const T* weight, T* losses, double* log_sums) {
  const double smoothing = problem.smoothing;
  const auto classes = static_cast<double>(problem.rows.classes);
  for_tiles(problem.rows, [=, &problem](const Tile& tile) {
    const T* x = input + tile.offset;
    T max[kTile], log_sum[kTile];
    double sum[kTile], smooth[kTile] = {};
    column_max(tile, x, max);
    column_sums<T>(tile, [&](auto i, auto j, auto) { return exp_nonpositive(x[i] - max[j]); }, sum);
    for (int64_t j = 0; j < tile.width; ++j) {
      const double exact = std::log(sum[j]);
      log_sum[j] = static_cast<T>(exact);
      log_sums[tile.row + j] = max[j] + exact;
    }
    if (smoothing > 0) {
      const auto term = [&](auto i, auto j, auto c) {
        return (weight == nullptr ? T(1) : weight[c]) * ((max[j] - x[i]) + log_sum[j]);
      };
      column_sums<T>(tile, term, smooth);
    }
    for (int64_t j = 0; j < tile.width; ++j) {
      const int64_t target = targets[tile.row + j];
      double loss = 0;
      if (target != problem.ignore_index) {
        loss = static_cast<double>(max[j]) - x[target * tile.inner + j] + std::log(sum[j]);
        if (weight != nullptr) loss *= weight[target];
        if (smoothing > 0) loss = (1 - smoothing) * loss + smoothing / classes * smooth[j];
      }
      losses[tile.row + j] = static_cast<T>(loss);
    }
  });
  double total = 0;
  for (int64_t k = 0; k < problem.rows.count(); ++k) {
    if (targets[k] != problem.ignore_index) total += weight == nullptr ? T(1) : weight[targets[k]];
  }
  return total;
}

template <typename T>
void cross_entropy_backward(const CrossEntropy& problem, const T* scale, int64_t scale_step,
                            const T* input, const int64_t* targets, const T* weight,
                            const double* log_sums, T* grad_input) {
  const double classes = static_cast<double>(problem.rows.classes), smoothing = problem.smoothing;
  double all_weights = classes;
  if (weight != nullptr)
    all_weights = lane_sum<T>(problem.rows.classes, [=](auto c, auto, auto) { return weight[c]; });
  for_tiles(problem.rows, [=, &problem](const Tile& tile) {
    const T* x = input + tile.offset;
    T* out = grad_input + tile.offset;
    // log_sum in two parts, so that the inner loop stays in T and loses no digits of x - log_sum.
    T high[kTile], low[kTile], slope[kTile], spread[kTile];
    for (int64_t j = 0; j < tile.width; ++j) {
      const int64_t row = tile.row + j, target = targets[row];
      const double factor = scale[row * scale_step];
      const double own = weight == nullptr || target == problem.ignore_index ? 1 : weight[target];
      high[j] = static_cast<T>(log_sums[row]);
      low[j] = static_cast<T>(log_sums[row] - high[j]);
      spread[j] = static_cast<T>(factor * smoothing / classes);
      slope[j] =
          static_cast<T>(factor * ((1 - smoothing) * own + smoothing * all_weights / classes));
    }
    const auto gradient = [&](auto i, auto j) {
      return exp_nonpositive((x[i] - high[j]) - low[j]) * slope[j];
    };
    if (weight == nullptr) {
      each(tile, [&](auto i, auto j, auto) { out[i] = gradient(i, j) - spread[j]; });
    } else {
      each(tile, [&](auto i, auto j, auto c) { out[i] = gradient(i, j) - spread[j] * weight[c]; });
    }
    for (int64_t j = 0; j < tile.width; ++j) {
      const int64_t row = tile.row + j, target = targets[row];
      if (target == problem.ignore_index) {
        for (int64_t c = 0; c < tile.classes; ++c) out[c * tile.inner + j] = T(0);
        continue;
      }
      const double own = weight == nullptr ? 1 : weight[target];
      out[target * tile.inner + j] -=
          static_cast<T>(scale[row * scale_step] * (1 - smoothing) * own);
    }
  });
}

int64_t first_out_of_range(const int64_t* indices, int64_t count, int64_t limit,
                           const int64_t* ignore) {
  for (int64_t k = 0; k < count; ++k) {
    const bool inside = indices[k] >= 0 && indices[k] < limit;
    if (!inside && (ignore == nullptr || indices[k] != *ignore)) return k;
  }
  return -1;
}

#define MINIDL_INSTANTIATE(T)                                                                   \
  template void softmax<T>(Rows, const T*, T*);                                                 \
  template void log_softmax<T>(Rows, const T*, T*);                                             \
  template void softmax_backward<T>(Rows, const T*, const T*, T*);                              \
  template void log_softmax_backward<T>(Rows, const T*, const T*, T*);                          \
  template double cross_entropy<T>(const CrossEntropy&, const T*, const int64_t*, const T*, T*, \
                                   double*);                                                    \
  template void cross_entropy_backward<T>(const CrossEntropy&, const T*, int64_t, const T*,     \
                                          const int64_t*, const T*, const double*, T*);
MINIDL_INSTANTIATE(float)
MINIDL_INSTANTIATE(double)

}  // namespace minidl::cpu
