#include "cpu/conv_depthwise.h"

#include <algorithm>
#include <vector>

#include "cpu/conv_depthwise_kernels.h"
#include "cpu/conv_planes.h"
#include "cpu/scratch.h"
#include "cpu/thread_pool.h"

namespace minidl::cpu {
namespace {

// The taps inside the image of every output along an axis, their inputs and weights in elements.
struct AxisTaps {
  std::vector<DepthwiseTap> taps;
  std::vector<int64_t> first;  // [outputs + 1] into taps
  // Outputs [low, high) have all taps, each `step` elements after its neighbour's; none where
  // windows of several kinds take turns.
  int64_t low = 0, high = 0, step = 0;

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
    if (pass.axes[axis].size() != 1 || pass.axes[axis][0].step != 1) return;
    const ConvAxis& a = pass.axes[axis][0];
    const int64_t far = (a.taps - 1) * a.dilation;
    const int64_t least = a.first + std::min<int64_t>(0, far);
    const int64_t most = a.first + std::max<int64_t>(0, far);
    step = a.stride * input_step;
    low = std::max<int64_t>(0, ceil_div(-least, a.stride));
    high = std::min(pass.out_size[axis], ceil_div(pass.in_size[axis] - most, a.stride));
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
                       output.layout.point[2], xs.low, xs.high, xs.step},
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
    return conv_planes(pass, input, weight, bias, output);
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
