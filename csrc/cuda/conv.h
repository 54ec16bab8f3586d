// Convolution (cross-correlation, as in neural networks) in one, two or three dimensions, and its
// gradients; a transposed convolution is the gradient by the input.
//
// Letters: N images, C input channels, K output channels, G groups, input size D x H x W, output
// size O x P x Q, kernel T x R x S; P = (H + 2 padding - dilation (R - 1) - 1) / stride + 1,
// rounded down, and the other axes likewise. Two dimensions lack D, O, T, one lacks H, P, R too.
// All arrays are of one dtype, float16, bfloat16 (both summed in float32), float32 or float64, and
// may have any strides: channels-last is a matter of strides. No output overlaps an input.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cuda/array.h"
#include "cuda/conv_select.h"
#include "cuda/stream.h"

namespace minidl::cuda {

struct ConvGeometry {
  std::vector<std::int64_t> stride, padding, dilation;  // one entry an axis of the image
  std::int64_t groups;
};

// Memory for what a pass keeps until its kernels have run: called at most once, with the bytes
// wanted; the address is one that 16 divides, and stays valid in the order of the stream.
using ConvWorkspace = std::function<void*(std::int64_t bytes)>;

// How a pass is computed, in words; the arrays are those of its function below, in their order.
std::string conv_plan(ConvPass pass, const Array& first, const Array& second, const Array& result,
                      const ConvGeometry& geometry);

// output[n, k, o, p, q] = bias[k] + sum over c, t, r, s of weight[k, c, t, r, s] times
//   input[n, first channel of k's group + c, o stride - padding + t dilation, ...]
// input [N, C, D, H, W]   weight [K, C / G, T, R, S]   bias [K] or null   output [N, K, O, P, Q]
void conv_forward(const Array& input, const Array& weight, const Array* bias, const Array& output,
                  const ConvWorkspace& workspace, const ConvGeometry& geometry, Stream stream);

// The gradient by the input: g [N, K, O, P, Q]   weight [K, C / G, T, R, S]   input_grad as input
void conv_input_grad(const Array& g, const Array& weight, const Array& input_grad,
                     const ConvWorkspace& workspace, const ConvGeometry& geometry, Stream stream);

// The gradient by the weight: g [N, K, O, P, Q]   input [N, C, D, H, W]   weight_grad as weight
// Summed in a fixed order: the same bits in every run.
void conv_weight_grad(const Array& g, const Array& input, const Array& weight_grad,
                      const ConvWorkspace& workspace, const ConvGeometry& geometry, Stream stream);

}  // namespace minidl::cuda
