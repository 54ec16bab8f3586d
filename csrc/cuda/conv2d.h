// Direct two-dimensional convolution (cross-correlation, as in neural networks) and its gradients.
//
// Letters: N images, C input channels, K output channels, G groups, H x W input, P x Q output, R x
// S kernel; P = (H + 2 padding - dilation (R - 1) - 1) / stride + 1, rounded down, and Q likewise.
// All arrays are of one dtype, float32 or float64, and may have any strides (channels-last is a
// matter of strides). No output overlaps an input.
#pragma once

#include <array>

#include "cuda/array.h"
#include "cuda/stream.h"

namespace minidl::cuda {

struct Conv2dGeometry {
  std::array<std::int64_t, 2> stride, padding, dilation;  // rows, columns
  std::int64_t groups;
};

// output[n, k, p, q] = bias[k] + sum over c, r, s of
//   weight[k, c, r, s] input[n, first channel of k's group + c, p stride - padding + r dilation,
//   ...] input [N, C, H, W]   weight [K, C / G, R, S]   bias [K] or null   output [N, K, P, Q]
void conv2d_forward(const Array& input, const Array& weight, const Array* bias, const Array& output,
                    const Conv2dGeometry& geometry, Stream stream);

// The gradient by the input: g [N, K, P, Q]   weight [K, C / G, R, S]   input_grad [N, C, H, W]
void conv2d_input_grad(const Array& g, const Array& weight, const Array& input_grad,
                       const Conv2dGeometry& geometry, Stream stream);

// The gradient by the weight: g [N, K, P, Q]   input [N, C, H, W]   weight_grad [K, C / G, R, S]
// Summed in a fixed order: the same bits in every run.
void conv2d_weight_grad(const Array& g, const Array& input, const Array& weight_grad,
                        const Conv2dGeometry& geometry, Stream stream);

}  // namespace minidl::cuda
