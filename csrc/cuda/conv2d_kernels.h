// Between conv2d.cpp, which checks and plans, and the kernels conv2d_<algorithm>.cu.
#pragma once

#include <cstdint>

#include "cuda/conv2d_select.h"
#include "cuda/images.h"
#include "cuda/stream.h"

namespace minidl::cuda {

// Forward and gradient by the input are one computation: every element of the target collects what
// the taps of the kernel meet in the source. Forward: source = input, target = output. Gradient:
// source = g, target = input's gradient.
enum class Conv2dDirection { forward, input_grad };

template <class T>
struct Conv2dGather {
  const T* source;
  const T* weight;
  const T* bias;  // or null
  T* target;
  std::int64_t images, groups;
  std::int64_t source_channels, target_channels;  // of one group
  Size2 source_size, target_size, kernel, stride, padding, dilation;
  ImageStrides source_strides, target_strides;
  std::int64_t weight_group, weight_target, weight_source, weight_row, weight_column;  // strides
  std::int64_t bias_stride;
  std::int64_t pixel_tiles, channel_tiles;
};

template <class T>
void conv2d_gather(Conv2dDirection direction, const Conv2dGather<T>& problem,
                   const Conv2dGatherConfig& config, Stream stream);

template <class T>
struct Conv2dWeightGrad {
  const T* g;
  const T* input;
  T* weight_grad;
  std::int64_t images, out_channels;
  std::int64_t in_channels_of_group, out_channels_of_group;
  Size2 input_size, output_size, kernel, stride, padding, dilation;
  ImageStrides g_strides, input_strides, weight_strides;
};

template <class T>
void conv2d_weight_grad(const Conv2dWeightGrad<T>& problem, const Conv2dWeightGradConfig& config,
                        Stream stream);

}  // namespace minidl::cuda
