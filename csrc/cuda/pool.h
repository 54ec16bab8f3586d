// Pooling over one to three spatial dimensions: the maximum or the mean of windows or of bins, and
// their gradients.
//
// Letters: N images, C channels, `size` an input's spatial dimensions, `out` an output's. A maximum
// remembers which tap of its window won as the flat offset inside the window, uint8 where 256
// suffice and int32 otherwise: what the gradient needs, in an eighth of the memory of a position.
// float16 and bfloat16 (sums in float32), float32, float64. Any strides; no output overlaps an
// input. Gradients are gathered: every element of an input asks the windows that contain it, so
// there are no atomics and every sum has a fixed order.
//
// All throw std::invalid_argument for shapes and geometry that do not fit, TypeMismatch for dtypes
// and NotSupported for images of 2^30 elements or more, counted as threads take them: a channel
// of an image, or all channels where those are neighbours in memory.
#pragma once

#include <optional>
#include <vector>

#include "cuda/array.h"
#include "cuda/stream.h"

namespace minidl::cuda {

struct PoolGeometry {
  std::vector<std::int64_t> kernel, stride, padding, dilation;  // an entry a spatial dimension
};

// output = the largest value of each window, offsets = the tap that won: the first of equal ones,
// or the last NaN. Padding never wins; a window may hang over the end of the input.
//   input [N, C, *size]   output, offsets [N, C, *out]
void max_pool(const Array& input, const Array& output, const Array& offsets,
              const PoolGeometry& geometry, Stream stream);

// input_grad = the sum of g over the windows that an element won.
//   g, offsets [N, C, *out]   input_grad [N, C, *size]
void max_pool_grad(const Array& g, const Array& offsets, const Array& input_grad,
                   const PoolGeometry& geometry, Stream stream);

// output = the input at the taps that won, 0 for one in the padding: the adjoint of max_pool_grad.
void max_pool_gather(const Array& input, const Array& offsets, const Array& output,
                     const PoolGeometry& geometry, Stream stream);

// indices (int64) = the flat positions in `size` of the taps that won.
void max_pool_indices(const Array& offsets, const Array& indices,
                      const std::vector<std::int64_t>& size, const PoolGeometry& geometry,
                      Stream stream);

// What a mean is taken over. Without a kernel: `out` bins, the i-th from floor(i size / out) to
// ceil((i + 1) size / out). Otherwise windows, in which padding counts as zeros where
// count_include_pad holds; a divisor replaces the count. Dilation is not looked at.
struct MeanGeometry {
  PoolGeometry windows;
  bool count_include_pad = true;
  std::optional<std::int64_t> divisor = std::nullopt;
};

// output = the mean of every window or bin.   input [N, C, *size]   output [N, C, *out]
void mean_pool(const Array& input, const Array& output, const MeanGeometry& geometry,
               Stream stream);

// input_grad = what the windows or bins that contain an element give it of their g.
//   g [N, C, *out]   input_grad [N, C, *size]
void mean_pool_grad(const Array& g, const Array& input_grad, const MeanGeometry& geometry,
                    Stream stream);

// output = the largest value of every bin, indices (int64) = its flat position in `size`: the first
// of equal ones, or the last NaN.   input [N, C, *size]   output, indices [N, C, *out]
void bin_maximum(const Array& input, const Array& output, const Array& indices, Stream stream);

}  // namespace minidl::cuda
