// Convolution on the CPU, float and double. Every kernel gives the same bits for any number of
// threads. Which algorithm runs is decided in cpu/conv_select.h.
#pragma once

#include <cstdint>

#include "cpu/extent.h"

namespace minidl::cpu {

//   input  [batch, in_channels, *size]
//   weight [out_channels, in_channels / groups, *kernel], C-contiguous
//   output [batch, out_channels, *out], out = (size + 2 padding - dilation (kernel - 1) - 1) /
//   stride + 1 > 0
struct ConvProblem {
  int64_t batch, in_channels, out_channels, groups;
  Extent size, kernel, out, stride, padding, dilation;

  int64_t group_in() const { return in_channels / groups; }
  int64_t group_out() const { return out_channels / groups; }
  int64_t rows() const { return group_in() * product(kernel); }  // of a group's unrolled matrix
  int64_t points() const { return product(out); }                // its columns
};

// An array [batch, channels, *size] in memory: steps in elements.
struct ImageLayout {
  int64_t batch, channel;
  Extent point;
};

// Channels before points, as C-contiguous arrays have them, or after.
inline ImageLayout image_layout(int64_t channels, const Extent& size, bool channels_last) {
  const int64_t step = channels_last ? channels : 1;
  return {channels * product(size),
          channels_last ? 1 : product(size),
          {size[1] * size[2] * step, size[2] * step, step}};
}

template <typename T>
struct Image {
  T* data;
  ImageLayout layout;
};

// output = bias + windows(input) * weight; bias [out_channels] may be null. Input in any layout,
// output in one that image_layout gives. Arrays do not overlap.
template <typename T>
void conv_forward(const ConvProblem& problem, Image<const T> input, const T* weight, const T* bias,
                  Image<T> output);

// grad_input[batch, in_channels, *size] for grad[batch, out_channels, *out]. False where a weight
// is not finite, and grad_input not to be used: the padding of `grad` counts as zeros that are
// multiplied with all weights, which only then differs from leaving it out.
template <typename T>
bool conv_input_grad(const ConvProblem& problem, Image<const T> grad, const T* weight,
                     Image<T> grad_input);

// grad_weight[out_channels, in_channels / groups, *kernel] for grad[batch, out_channels, *out]
template <typename T>
void conv_weight_grad(const ConvProblem& problem, Image<const T> grad, Image<const T> input,
                      T* grad_weight);

}  // namespace minidl::cpu
