// Two-dimensional max pooling and its gradient.
//
// Letters: N images, C channels, H x W input, P x Q output, R x S window. A window remembers which
// of its taps won as the flat offset r S + s, uint8 where R S <= 256 and int32 otherwise: what the
// gradient needs, in 1/8 of the memory of a flat position. Any strides; no output overlaps an
// input.
#pragma once

#include <array>

#include "cuda/array.h"
#include "cuda/stream.h"

namespace minidl::cuda {

struct PoolGeometry {
  std::array<std::int64_t, 2> kernel, stride, padding, dilation;  // rows, columns
};

// output = the largest value of each window, offsets = the tap that won: the first of equal ones,
// or the last NaN. Padding is -infinity; a window may hang over the right or lower end.
//   input [N, C, H, W]   output [N, C, P, Q]   offsets [N, C, P, Q]
void max_pool2d(const Array& input, const Array& output, const Array& offsets,
                const PoolGeometry& geometry, Stream stream);

// The gradient by the input. Every input element asks the windows that contain it whether it won,
// so there are no atomics and the sum has a fixed order.
//   g [N, C, P, Q]   offsets [N, C, P, Q]   input_grad [N, C, H, W]
void max_pool2d_grad(const Array& g, const Array& offsets, const Array& input_grad,
                     const PoolGeometry& geometry, Stream stream);

}  // namespace minidl::cuda
