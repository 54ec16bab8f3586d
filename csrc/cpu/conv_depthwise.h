// Depthwise convolution (every channel a group of its own) in one or two dimensions.
#pragma once

#include "cpu/conv_pass.h"

namespace minidl::cpu {

inline bool is_depthwise(const ConvPass& pass) {
  return pass.in == 1 && pass.out == 1 && pass.groups > 1 && pass.is_flat();
}

// Whether the columns of a channel lie side by side, or the channels of a point do.
inline bool channels_first(const ImageLayout& layout) { return layout.point[2] == 1; }
inline bool channels_last(const ImageLayout& layout) { return layout.channel == 1; }

// output = bias + the pass's sums; the layouts of input and output are both one of the above.
template <typename T>
void conv_depthwise(const ConvPass& pass, Image<const T> input, const T* weight, const T* bias,
                    Image<T> output);

// grad_weight [groups, 1, *kernel] of a forward pass
template <typename T>
void conv_depthwise_weight_grad(const ConvPass& pass, Image<const T> grad, Image<const T> input,
                                T* grad_weight);

}  // namespace minidl::cpu
