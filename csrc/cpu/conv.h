// Convolution on the CPU, float and double: windows are unrolled into a matrix, a tile of output
// points at a time, and multiplied by the weight (Chellapilla et al., "High performance
// convolutional neural networks for document processing", 2006). Every kernel gives the same bits
// for any number of threads.
#pragma once

#include <cstdint>

#include "cpu/extent.h"

namespace minidl::cpu {

// Arrays are C-contiguous and do not overlap:
//   input  [batch, in_channels, *size]
//   weight [out_channels, in_channels / groups, *kernel]
//   output [batch, out_channels, *out], out = (size + 2 padding - dilation (kernel - 1) - 1) /
//   stride + 1 > 0
struct ConvProblem {
  int64_t batch, in_channels, out_channels, groups;
  Extent size, kernel, out, stride, padding, dilation;

  int64_t group_in() const { return in_channels / groups; }
  int64_t group_out() const { return out_channels / groups; }
  int64_t rows() const { return group_in() * product(kernel); }  // of a group's unrolled matrix
  int64_t points() const { return product(out); }                // its columns
};

// output = bias + windows(input) * weight; bias [out_channels] may be null
template <typename T>
void conv_forward(const ConvProblem& problem, const T* input, const T* weight, const T* bias,
                  T* output);

// grad_input[batch, in_channels, *size] for grad[batch, out_channels, *out]
template <typename T>
void conv_input_grad(const ConvProblem& problem, const T* grad, const T* weight, T* grad_input);

// grad_weight[out_channels, in_channels / groups, *kernel] for grad[batch, out_channels, *out]
template <typename T>
void conv_weight_grad(const ConvProblem& problem, const T* grad, const T* input, T* grad_weight);

}  // namespace minidl::cpu
