#include "cpu/conv_depthwise.h"

#include <algorithm>
#include <vector>

#include "cpu/conv_depthwise_kernels.h"
#include "cpu/scratch.h"
#include "cpu/thread_pool.h"

namespace minidl::cpu {
namespace {

constexpr int64_t kTaskPoints = 1 << 14;   // outputs that are worth a task of their own
constexpr int64_t kPlaneBytes = 64 << 10;  // of a channel's padded rows

int64_t grain(int64_t points) {
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
      for (int64_t x = begin; x < end; ++x) to[place(y, x)] = channel[y * row_step + x];
    }
  }

 private:
  Span rows_, columns_;
  int64_t size_[2];
  int64_t stride_, part_, row_, elements_;
};

// The outputs of a pair of phases in a band of rows.
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
        for (int64_t i = 0; i < ys.taps; ++i) {
          for (int64_t j = 0; j < xs.taps; ++j) {
            phase.offsets.push_back(padded.place(ys.first + phase.low * ys.stride + i * ys.dilation,
                                                 xs.first + j * xs.dilation));
            phase.weights.push_back((ys.kernel + i * ys.kernel_step) * pass.kernel[2] + xs.kernel +
                                    j * xs.kernel_step);
          }
        }
        phases.push_back(std::move(phase));
      }
    }
  }
};

template <typename T>
std::vector<PlaneBand<T>> plane_bands(const ConvPass& pass) {
  const int64_t row = pass.reads(2, 0, pass.out_size[2]).size() * static_cast<int64_t>(sizeof(T));
  const int64_t step = std::max<int64_t>(8, kPlaneBytes / std::max<int64_t>(1, row));
  std::vector<PlaneBand<T>> bands;
  for (int64_t begin = 0; begin < pass.out_size[1]; begin += step) {
    bands.emplace_back(pass, begin, std::min(pass.out_size[1], begin + step));
  }
  return bands;
}

// A band of one channel whose padded input is `rows`; the output's rows lie `row` apart.
template <typename T>
void plane_forward(const PlaneBand<T>& band, const T* rows, const T* weight, T bias, T* output,
                   int64_t row) {
  thread_local Scratch<T> weights, staging;
  for (const PlanePhase& phase : band.phases) {
    const ConvAxis &ys = *phase.ys, &xs = *phase.xs;
    const int64_t taps = static_cast<int64_t>(phase.offsets.size()), high = phase.high - phase.low;
    T* const chosen = weights.reserve(taps + 1);
    for (int64_t t = 0; t < taps; ++t) chosen[t] = weight[phase.weights[static_cast<size_t>(t)]];
    T* const to = output + (ys.place + phase.low * ys.step) * row + xs.place;
    const bool staged = xs.step != 1;
    T* const stage = staged ? staging.reserve(high * xs.count) : to;
    depthwise_kernels<T>().plane({high, xs.count, taps, phase.offsets.data(), rows,
                                  ys.stride * band.padded.row(), staged ? xs.count : ys.step * row},
                                 chosen, bias, stage);
    for (int64_t y = 0; staged && y < high; ++y) {
      for (int64_t x = 0; x < xs.count; ++x) {
        to[y * ys.step * row + x * xs.step] = stage[y * xs.count + x];
      }
    }
  }
}

template <typename T>
void planes_forward(const ConvPass& pass, Image<const T> input, const T* weight, const T* bias,
                    Image<T> output) {
  const std::vector<PlaneBand<T>> bands = plane_bands<T>(pass);
  const int64_t planes = pass.batch * pass.groups;
  parallel_for(planes, grain(product(pass.out_size)), [&](int64_t begin, int64_t end) {
    thread_local Scratch<T> memory;
    for (const PlaneBand<T>& band : bands) {
      T* const rows = memory.reserve(band.padded.elements());
      band.padded.clear(rows);
      for (int64_t i = begin; i < end; ++i) {
        const int64_t image = i / pass.groups, c = i % pass.groups;
        band.padded.fill(input.data + image * input.layout.batch + c * input.layout.channel,
                         input.layout.point[1], rows);
        plane_forward(band, rows, weight + c * pass.taps(), bias == nullptr ? T(0) : bias[c],
                      output.data + image * output.layout.batch + c * output.layout.channel,
                      output.layout.point[1]);
      }
    }
  });
}

// The taps inside the image of every output along an axis, their inputs and weights in elements.
struct AxisTaps {
  std::vector<DepthwiseTap> taps;
  std::vector<int64_t> first;  // [outputs + 1] into taps

  AxisTaps(const ConvPass& pass, int axis, int64_t input_step, int64_t weight_step) {
    for (int64_t i = 0; i < pass.out_size[axis]; ++i) {
      first.push_back(static_cast<int64_t>(taps.size()));
      for (const ConvAxis& a : pass.axes[axis]) {
        if (i % a.step != a.place) continue;
        for (int64_t t = 0; t < a.taps; ++t) {
          const int64_t at = a.first + i / a.step * a.stride + t * a.dilation;
          if (at < 0 || at >= pass.in_size[axis]) continue;
          taps.push_back({at * input_step, (a.kernel + t * a.kernel_step) * weight_step});
        }
      }
    }
    first.push_back(static_cast<int64_t>(taps.size()));
  }
};

template <typename T>
void last_forward(const ConvPass& pass, Image<const T> input, const T* weight, const T* bias,
                  Image<T> output) {
  const DepthwiseKernels<T>& kernels = depthwise_kernels<T>();
  const int64_t channels = pass.groups, taps = pass.taps();
  std::vector<T> packed(static_cast<size_t>(taps * channels));  // [tap][channel]
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t t = 0; t < taps; ++t)
      packed[static_cast<size_t>(t * channels + c)] = weight[c * taps + t];
  }
  const AxisTaps ys(pass, 1, input.layout.point[1], pass.kernel[2] * channels);
  const AxisTaps xs(pass, 2, input.layout.point[2], channels);
  const int64_t rows = pass.out_size[1];
  parallel_for(
      pass.batch * rows, grain(pass.out_size[2] * channels), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          const int64_t image = i / rows, y = i % rows;
          const int64_t first = ys.first[static_cast<size_t>(y)];
          kernels.row({pass.out_size[2], channels, ys.first[static_cast<size_t>(y + 1)] - first,
                       ys.taps.data() + first, xs.taps.data(), xs.first.data(),
                       input.data + image * input.layout.batch, packed.data(), bias,
                       output.layout.point[2]},
                      output.data + image * output.layout.batch + y * output.layout.point[1]);
        }
      });
}

// Channels [begin, end) over the whole batch; the order of a sum is that of bands and images.
template <typename T>
void planes_weight_grad(const ConvPass& pass, const std::vector<PlaneBand<T>>& bands,
                        Image<const T> grad, Image<const T> input, int64_t begin, int64_t end,
                        T* grad_weight) {
  const DepthwiseKernels<T>& kernels = depthwise_kernels<T>();
  thread_local Scratch<T> memory, totals;
  const int64_t taps = pass.taps(), size = taps * kernels.lanes;
  T* const sums = totals.reserve((end - begin) * size);
  std::fill_n(sums, (end - begin) * size, T(0));
  for (const PlaneBand<T>& band : bands) {
    T* const rows = memory.reserve(band.padded.elements());
    band.padded.clear(rows);
    const DepthwisePlane<T> job{band.end - band.begin,
                                pass.out_size[2],
                                taps,
                                band.phases[0].offsets.data(),
                                rows,
                                pass.axes[1][0].stride * band.padded.row(),
                                grad.layout.point[1]};
    for (int64_t image = 0; image < pass.batch; ++image) {
      for (int64_t c = begin; c < end; ++c) {
        band.padded.fill(input.data + image * input.layout.batch + c * input.layout.channel,
                         input.layout.point[1], rows);
        kernels.plane_sums(job,
                           grad.data + image * grad.layout.batch + c * grad.layout.channel +
                               band.begin * grad.layout.point[1],
                           sums + (c - begin) * size);
      }
    }
  }
  for (int64_t i = 0; i < (end - begin) * taps; ++i) {
    T total = 0;
    for (int64_t lane = 0; lane < kernels.lanes; ++lane) total += sums[i * kernels.lanes + lane];
    grad_weight[begin * taps + i] = total;
  }
}

// sums[tap][channel] += the gradient of one output row of one image.
template <typename T>
void row_weight_grad(const ConvPass& pass, const T* grad, int64_t grad_column, const T* input,
                     const ImageLayout& layout, int64_t y, T* sums) {
  const ConvAxis &ys = pass.axes[1][0], &xs = pass.axes[2][0];
  for (int64_t i = 0; i < ys.taps; ++i) {
    const int64_t row = ys.first + y * ys.stride + i * ys.dilation;
    if (row < 0 || row >= pass.in_size[1]) continue;
    for (int64_t j = 0; j < xs.taps; ++j) {
      const int64_t at = xs.first + j * xs.dilation;  // of output 0; outputs inside are [low, high)
      const int64_t low = std::max<int64_t>(0, ceil_div(-at, xs.stride));
      const int64_t high = std::min(xs.count, ceil_div(pass.in_size[2] - at, xs.stride));
      if (low >= high) continue;
      depthwise_kernels<T>().row_sums(
          high - low, pass.groups, grad + low * grad_column, grad_column,
          input + row * layout.point[1] + (at + low * xs.stride) * layout.point[2],
          xs.stride * layout.point[2], sums + (i * xs.taps + j) * pass.groups);
    }
  }
}

template <typename T>
void last_weight_grad(const ConvPass& pass, Image<const T> grad, Image<const T> input,
                      T* grad_weight) {
  const int64_t channels = pass.groups, taps = pass.taps(), size = taps * channels;
  const int64_t rows = pass.batch * pass.out_size[1];
  const int64_t parts = std::clamp<int64_t>(rows / 8, 1, 16);
  thread_local Scratch<T> scratch;
  T* const sums = scratch.reserve(parts * size);
  parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      std::fill_n(sums + part * size, size, T(0));
      for (int64_t i = rows * part / parts; i < rows * (part + 1) / parts; ++i) {
        const int64_t image = i / pass.out_size[1], y = i % pass.out_size[1];
        row_weight_grad(pass, grad.data + image * grad.layout.batch + y * grad.layout.point[1],
                        grad.layout.point[2], input.data + image * input.layout.batch, input.layout,
                        y, sums + part * size);
      }
    }
  });
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t t = 0; t < taps; ++t) {
      T total = 0;
      for (int64_t part = 0; part < parts; ++part) total += sums[part * size + t * channels + c];
      grad_weight[c * taps + t] = total;
    }
  }
}

}  // namespace

template <typename T>
void conv_depthwise(const ConvPass& pass, Image<const T> input, const T* weight, const T* bias,
                    Image<T> output) {
  if (channels_first(input.layout) && channels_first(output.layout)) {
    return planes_forward(pass, input, weight, bias, output);
  }
  last_forward(pass, input, weight, bias, output);
}

template <typename T>
void conv_depthwise_weight_grad(const ConvPass& pass, Image<const T> grad, Image<const T> input,
                                T* grad_weight) {
  if (!channels_first(input.layout) || !channels_first(grad.layout)) {
    return last_weight_grad(pass, grad, input, grad_weight);
  }
  const std::vector<PlaneBand<T>> bands = plane_bands<T>(pass);
  const int64_t step = grain(pass.batch * product(pass.out_size));
  parallel_for(pass.groups, step, [&](int64_t begin, int64_t end) {
    planes_weight_grad(pass, bands, grad, input, begin, end, grad_weight);
  });
}

#define MINIDL_INSTANTIATE(T)                                                                     \
  template void conv_depthwise<T>(const ConvPass&, Image<const T>, const T*, const T*, Image<T>); \
  template void conv_depthwise_weight_grad<T>(const ConvPass&, Image<const T>, Image<const T>, T*);
MINIDL_INSTANTIATE(float)
MINIDL_INSTANTIATE(double)
#undef MINIDL_INSTANTIATE

}  // namespace minidl::cpu
