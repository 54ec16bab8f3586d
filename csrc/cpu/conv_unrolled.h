// Convolution by unrolled windows, a tile of output points at a time, times the weight (Chellapilla
// et al., "High performance convolutional neural networks for document processing", 2006): for
// windows that span far more than the image has, of which little memory is touched.
#pragma once

#include "cpu/conv.h"

namespace minidl::cpu {

// As in cpu/conv.h; all arrays are C-contiguous.
template <typename T>
void conv_forward_unrolled(const ConvProblem& problem, const T* input, const T* weight,
                           const T* bias, T* output);
template <typename T>
void conv_input_grad_unrolled(const ConvProblem& problem, const T* grad, const T* weight,
                              T* grad_input);
template <typename T>
void conv_weight_grad_unrolled(const ConvProblem& problem, const T* grad, const T* input,
                               T* grad_weight);

}  // namespace minidl::cpu
