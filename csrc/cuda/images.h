// Images of one to three spatial dimensions, as the kernels of convolution and pooling see them:
// with three, absent ones of size 1.
#pragma once

#include "cuda/array.h"

namespace minidl::cuda {

// [N, C, *size] or [K, C, *kernel] with absent dimensions of size 1 in front of the others. Throws
// std::invalid_argument for another rank than 3, 4 or 5.
Array with_three_dimensions(const char* name, const Array& images);

// `what` as the int that kernels compute coordinates in. Throws NotSupported beyond 2^30.
int image_coordinate(const char* what, std::int64_t value);

}  // namespace minidl::cuda
