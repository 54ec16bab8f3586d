// Between max_pool2d.cpp, which checks, and the kernels max_pool2d_window.cu and
// max_pool2d_gather.cu.
#pragma once

#include <cstdint>

#include "cuda/images.h"
#include "cuda/stream.h"

namespace minidl::cuda {

template <class T, class Offset>
struct MaxPool2d {
  const T* input;
  T* output;
  Offset* offsets;
  std::int64_t images, channels;
  Size2 input_size, output_size, kernel, stride, padding, dilation;
  ImageStrides input_strides, output_strides, offset_strides;
};

template <class T, class Offset>
void max_pool2d_window(const MaxPool2d<T, Offset>& problem, Stream stream);

template <class T, class Offset>
struct MaxPool2dGrad {
  T* input_grad;
  const T* g;
  const Offset* offsets;
  std::int64_t images, channels;
  Size2 input_size, output_size, kernel, stride, padding, dilation;
  ImageStrides input_strides, output_strides, offset_strides;
};

template <class T, class Offset>
void max_pool2d_gather(const MaxPool2dGrad<T, Offset>& problem, Stream stream);

// Blocks are tiles of pixels of one channel of one image.
inline constexpr int pool_threads = 128;

inline std::int64_t pool_tiles(const Size2& size) {
  return (static_cast<std::int64_t>(size.rows) * size.columns + pool_threads - 1) / pool_threads;
}

}  // namespace minidl::cuda
