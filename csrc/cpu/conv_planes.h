// Convolution of channels-first arrays channel by channel, the columns of a row in the lanes of
// vectors: where a group has too few output channels to fill vectors with them, or so few input
// channels that changing the order of its many outputs would cost too much.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "cpu/conv_depthwise_kernels.h"
#include "cpu/conv_pass.h"
#include "cpu/scratch.h"

namespace minidl::cpu {

inline constexpr int64_t kTaskPoints = 1 << 14;     // outputs that are worth a task of their own
inline constexpr int64_t kPlaneBytes = 96 << 10;    // of the padded rows of few channels
inline constexpr int64_t kPlanesBytes = 512 << 10;  // of many

inline int64_t grain(int64_t points) {
  return std::max<int64_t>(1, kTaskPoints / std::max<int64_t>(1, points));
}

// Rows of one channel with their padding. Columns `stride` apart lie side by side, so that the
// inputs of neighbouring outputs do: column q of the padded row is at q % stride * part + q /
// stride.
template <typename T>
class PaddedRows {
 public:
  PaddedRows(const ConvPass& pass, Span rows, int64_t lanes)
      : rows_(rows),
        columns_(pass.reads(2, 0, pass.out_size[2])),
        size_{pass.in_size[1], pass.in_size[2]},
        stride_(pass.axes[2][0].stride),
        part_(ceil_div(columns_.size(), stride_)),
        row_(stride_ * part_),
        elements_(rows.size() * row_ + lanes) {}

  int64_t elements() const { return elements_; }
  int64_t row() const { return row_; }

  // Where the input of the tap at row y and column x of the image lies.
  int64_t place(int64_t y, int64_t x) const {
    const int64_t q = x - columns_.begin;
    return (y - rows_.begin) * row_ + q % stride_ * part_ + q / stride_;
  }

  // The padding stays as it is from channel to channel: clear() once.
  void clear(T* to) const { std::fill_n(to, elements_, T(0)); }
  void fill(const T* channel, int64_t row_step, T* to) const {
    const int64_t begin = std::max<int64_t>(0, columns_.begin);
    const int64_t end = std::min(size_[1], columns_.end);
    const int64_t top = std::max<int64_t>(0, rows_.begin), bottom = std::min(size_[0], rows_.end);
    if (begin >= end || top >= bottom) return;
    if (stride_ == 1) {
      depthwise_kernels<T>().copy(bottom - top, end - begin, channel + top * row_step + begin,
                                  row_step, to + place(top, begin), row_);
      return;
    }
    for (int64_t y = top; y < bottom; ++y) {
      // Two, the usual stride, is a constant: the compiler makes vectors of it.
      stride_ == 2
          ? spread<2>(channel + y * row_step, begin, end, to + (y - rows_.begin) * row_, 2)
          : spread<0>(channel + y * row_step, begin, end, to + (y - rows_.begin) * row_, stride_);
    }
  }

 private:
  // Columns [begin, end) of one row: those of each rest of the division by the stride in one run.
  template <int64_t kStride>
  void spread(const T* row, int64_t begin, int64_t end, T* to, int64_t any_stride) const {
    const int64_t stride = kStride > 0 ? kStride : any_stride;
    for (int64_t x = begin; x < std::min(end, begin + stride); ++x) {
      const int64_t q = x - columns_.begin, count = ceil_div(end - x, stride);
      T* const run = to + q % stride * part_ + q / stride;
      for (int64_t i = 0; i < count; ++i) run[i] = row[x + i * stride];
    }
  }

  Span rows_, columns_;
  int64_t size_[2];
  int64_t stride_, part_, row_, elements_;
};

// The outputs of a pair of phases in a band of rows, summed over the channels of a group.
struct PlanePhase {
  const ConvAxis *ys, *xs;
  int64_t low, high;             // rows of the phase
  std::vector<int64_t> offsets;  // of its taps, from the first output's place in the padded rows
  std::vector<int64_t> weights;  // and in the kernel
};

// Output rows [begin, end), the same for every channel.
template <typename T>
struct PlaneBand {
  int64_t begin, end;
  PaddedRows<T> padded;
  std::vector<PlanePhase> phases;

  PlaneBand(const ConvPass& pass, int64_t first, int64_t last)
      : begin(first),
        end(last),
        padded(pass, pass.reads(1, first, last), depthwise_kernels<T>().lanes) {
    for (const ConvAxis& ys : pass.axes[1]) {
      for (const ConvAxis& xs : pass.axes[2]) {
        PlanePhase phase{&ys, &xs, ys.before(begin), ys.before(end), {}, {}};
        if (phase.low >= phase.high || xs.count == 0) continue;
        for (int64_t c = 0; c < pass.in; ++c) add_taps(pass, c, phase);
        phases.push_back(std::move(phase));
      }
    }
  }

 private:
  void add_taps(const ConvPass& pass, int64_t c, PlanePhase& phase) const {
    const ConvAxis &ys = *phase.ys, &xs = *phase.xs;
    for (int64_t i = 0; i < ys.taps; ++i) {
      for (int64_t j = 0; j < xs.taps; ++j) {
        phase.offsets.push_back(c * padded.elements() +
                                padded.place(ys.first + phase.low * ys.stride + i * ys.dilation,
                                             xs.first + j * xs.dilation));
        phase.weights.push_back(c * pass.weight_in +
                                (ys.kernel + i * ys.kernel_step) * pass.kernel[2] + xs.kernel +
                                j * xs.kernel_step);
      }
    }
  }
};

template <typename T>
std::vector<PlaneBand<T>> plane_bands(const ConvPass& pass) {
  constexpr int64_t bytes = sizeof(T);
  const int64_t row = pass.reads(2, 0, pass.out_size[2]).size() * pass.in * bytes;
  const int64_t fitting = (pass.in <= 4 ? kPlaneBytes : kPlanesBytes) / std::max<int64_t>(1, row);
  const int64_t step = std::max<int64_t>(8, fitting / pass.axes[1][0].stride);
  std::vector<PlaneBand<T>> bands;
  for (int64_t begin = 0; begin < pass.out_size[1]; begin += step) {
    bands.emplace_back(pass, begin, std::min(pass.out_size[1], begin + step));
  }
  return bands;
}

// `count` output channels of a band whose padded input is `rows`; rows of the output lie `row`
// apart, channels `channel`.
template <typename T>
void plane_forward(const PlaneBand<T>& band, const T* rows, int64_t count, const T* weight,
                   int64_t weight_out, const T* bias, T* output, int64_t row, int64_t channel) {
  thread_local Scratch<T> weights, staging;
  for (const PlanePhase& phase : band.phases) {
    const ConvAxis &ys = *phase.ys, &xs = *phase.xs;
    const int64_t taps = static_cast<int64_t>(phase.offsets.size()), high = phase.high - phase.low;
    T* const chosen = weights.reserve(taps * count + 1);  // [tap][channel]
    for (int64_t t = 0; t < taps; ++t) {
      const T* from = weight + phase.weights[static_cast<size_t>(t)];
      for (int64_t o = 0; o < count; ++o) chosen[t * count + o] = from[o * weight_out];
    }
    T* const to = output + (ys.place + phase.low * ys.step) * row + xs.place;
    const bool staged = xs.step != 1;
    const int64_t size = high * xs.count;
    T* const stage = staged ? staging.reserve(count * size) : to;
    depthwise_kernels<T>().plane(
        {high, xs.count, taps, phase.offsets.data(), rows, ys.stride * band.padded.row(),
         staged ? xs.count : ys.step * row, count, staged ? size : channel},
        chosen, bias, stage);
    for (int64_t i = 0; staged && i < count * high; ++i) {
      T* const line = to + i / high * channel + i % high * ys.step * row;
      for (int64_t x = 0; x < xs.count; ++x) line[x * xs.step] = stage[i * xs.count + x];
    }
  }
}

// Whether a pass has so few channels, and rows that fill vectors.
bool planes_fit(const ConvPass& pass);

// output = bias + the pass's sums; the columns of both arrays lie side by side.
template <typename T>
void conv_planes(const ConvPass& pass, Image<const T> input, const T* weight, const T* bias,
                 Image<T> output);

}  // namespace minidl::cpu
