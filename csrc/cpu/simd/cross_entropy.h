// Cross entropy of logits and class indices: one pass over the logits forward (a row stays in the
// cache between its maximum and its sum), one backward.
#pragma once

#include "cpu/simd/class_tiles.h"
#include "cpu/simd/math.h"

namespace minidl::cpu::MINIDL_ISA {

// log(sum(exp(x - max)))
template <typename T, typename Tile>
MINIDL_INLINE Slots<T> log_of_sums(const Tile& tile, const T* x, Slots<T> max) {
  const Slots<T> sum = tile.sums([&](int64_t i, auto lanes, auto slot, int64_t) {
    return exp(load(x + i, lanes, kLowest<T>) - max[slot]);
  });
  return tile.map(sum, [](Vec<T> v) { return log(v); });
}

template <typename T>
void cross_entropy(const CrossEntropy& problem, const T* input, const int64_t* targets,
                   const T* weight, T* losses, double* log_sums) {
  const double smoothing = problem.smoothing;
  const auto classes = static_cast<double>(problem.rows.classes);
  for_tiles<T>(problem.rows, [&](const auto& tile, int64_t offset, int64_t row) {
    const T* x = input + offset;
    Slots<T> max = class_maximum(tile, x);
    Slots<T> log_sum = log_of_sums(tile, x, max);
    T largest[kTileWidth<T>], logs[kTileWidth<T>], smooth[kTileWidth<T>] = {};
    tile.unpack(max, largest);
    tile.unpack(log_sum, logs);
    if (smoothing > 0) {
      const Slots<T> every = tile.sums([&](int64_t i, auto lanes, auto slot, int64_t c) {
        Vec<T> term = (max[slot] - load(x + i, lanes)) + log_sum[slot];
        if (weight != nullptr) term *= tile.by_class(weight, c, lanes);
        return only(term, lanes, T(0));
      });
      tile.unpack(every, smooth);
    }
    for (int64_t j = 0; j < tile.width; ++j) {
      const int64_t target = targets[row + j];
      log_sums[row + j] = static_cast<double>(largest[j]) + logs[j];
      double loss = 0;
      if (target != problem.ignore_index) {
        loss = static_cast<double>(largest[j]) - x[tile.at(target, j)] + logs[j];
        if (weight != nullptr) loss *= weight[target];
        if (smoothing > 0) loss = (1 - smoothing) * loss + smoothing / classes * smooth[j];
      }
      losses[row + j] = static_cast<T>(loss);
    }
  });
}

template <typename T>
double sum_of_weights(int64_t classes, const T* weight) {
  if (weight == nullptr) return static_cast<double>(classes);
  double sum = 0;
  for (int64_t c = 0; c < classes; ++c) sum += weight[c];
  return sum;
}

// The gradient of one tile: exp(x - log_sum) slope - spread w[c], and less `own` at the target; all
// zero where the target is ignored.
template <typename T, typename Tile>
MINIDL_INLINE void tile_gradient(const Tile& tile, const T* x, const T* weight, const T* values,
                                 T* out) {
  constexpr int64_t n = kTileWidth<T>;
  // The logarithm comes in two parts, so that x - log_sum loses no digits in T.
  Slots<T> high = tile.pack(values), low = tile.pack(values + n), slope = tile.pack(values + 2 * n),
           spread = tile.pack(values + 3 * n);
  const auto gradient = [&](int64_t i, auto lanes, auto slot) {
    return exp((load(x + i, lanes) - high[slot]) - low[slot]) * slope[slot];
  };
  if (weight == nullptr) {
    tile.each([&](int64_t i, auto lanes, auto slot, int64_t) {
      store(out + i, lanes, gradient(i, lanes, slot) - spread[slot]);
    });
  } else {
    tile.each([&](int64_t i, auto lanes, auto slot, int64_t c) {
      store(out + i, lanes,
            gradient(i, lanes, slot) - spread[slot] * tile.by_class(weight, c, lanes));
    });
  }
}

template <typename T>
void cross_entropy_backward(const CrossEntropy& problem, const T* scale, int64_t scale_step,
                            const T* input, const int64_t* targets, const T* weight,
                            const double* log_sums, T* grad_input) {
  const double classes = static_cast<double>(problem.rows.classes), smoothing = problem.smoothing;
  const double all_weights = sum_of_weights(problem.rows.classes, weight);
  for_tiles<T>(problem.rows, [&](const auto& tile, int64_t offset, int64_t row) {
    constexpr int64_t n = kTileWidth<T>;
    T values[4 * n] = {};  // high, low, slope, spread
    const auto own = [&](int64_t target) { return weight == nullptr ? 1. : weight[target]; };
    for (int64_t j = 0; j < tile.width; ++j) {
      const int64_t target = targets[row + j];
      const double factor = scale[(row + j) * scale_step], log_sum = log_sums[row + j];
      const double mine = target == problem.ignore_index ? 1 : own(target);
      values[j] = static_cast<T>(log_sum);
      values[n + j] = static_cast<T>(log_sum - values[j]);
      values[2 * n + j] =
          static_cast<T>(factor * ((1 - smoothing) * mine + smoothing * all_weights / classes));
      values[3 * n + j] = static_cast<T>(factor * smoothing / classes);
    }
    T* out = grad_input + offset;
    tile_gradient(tile, input + offset, weight, values, out);
    for (int64_t j = 0; j < tile.width; ++j) {
      const int64_t target = targets[row + j];
      if (target == problem.ignore_index) {
        for (int64_t c = 0; c < tile.classes; ++c) out[tile.at(c, j)] = T(0);
      } else {
        out[tile.at(target, j)] -=
            static_cast<T>(scale[(row + j) * scale_step] * (1 - smoothing) * own(target));
      }
    }
  });
}

}  // namespace minidl::cpu::MINIDL_ISA
