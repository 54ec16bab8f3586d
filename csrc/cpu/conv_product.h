// Convolution with a kernel of one point: where arrays are channels-last, a product of matrices
// whose rows are points.
#pragma once

#include "cpu/conv.h"

namespace minidl::cpu {

// Every input point is one output point's, and all channels are one group.
inline bool is_pointwise(const ConvProblem& p) {
  bool all = p.groups == 1;
  for (int d = 0; d < 3; ++d) {
    all = all && p.kernel[d] == 1 && p.stride[d] == 1 && p.padding[d] == 0;
  }
  return all;
}

// Whether an image's points lie one after the other, each with all its channels.
inline bool lies_by_points(const ConvProblem& p, const ImageLayout& layout, int64_t channels) {
  const ImageLayout wanted = image_layout(channels, p.size, true);
  bool all = layout.channel == 1 && (p.batch == 1 || layout.batch == wanted.batch);
  for (int d = 0; d < 3; ++d) all = all && (p.size[d] == 1 || layout.point[d] == wanted.point[d]);
  return all;
}

inline bool is_product(const ConvProblem& p, const ImageLayout& input, const ImageLayout& output) {
  return is_pointwise(p) && lies_by_points(p, input, p.in_channels) &&
         lies_by_points(p, output, p.out_channels);
}

// What cpu/conv.h says, for a problem and layouts that are a product.
template <typename T>
void conv_product(const ConvProblem& p, Image<const T> input, const T* weight, const T* bias,
                  Image<T> output);
template <typename T>
void conv_product_input_grad(const ConvProblem& p, Image<const T> grad, const T* weight,
                             Image<T> grad_input);
template <typename T>
void conv_product_weight_grad(const ConvProblem& p, Image<const T> grad, Image<const T> input,
                              T* grad_weight);

}  // namespace minidl::cpu
