// Sizes and strides of stacks of images, as the kernels of convolution and pooling take them.
#pragma once

#include <array>
#include <cstdint>

#include "cuda/array.h"

namespace minidl::cuda {

// Rows and columns; int, because coordinates in an image are computed often. 64-bit everywhere
// else.
struct Size2 {
  int rows, columns;
};

struct ImageStrides {
  std::int64_t image, channel, row, column;
};

// Throw std::invalid_argument, naming `what`, for a number beyond int.
int narrow(const char* what, std::int64_t value);
Size2 size_of(const char* what, const std::array<std::int64_t, 2>& pair);

Size2 size_of_images(const Array& images);  // the last two axes of [N, C, H, W]
ImageStrides strides_of(const Array& images);

}  // namespace minidl::cuda
