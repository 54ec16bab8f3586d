// The gradient of a convolution by its weight: for every run of inputs under a window, a product of
// the inputs with the output's gradient over all points, both channels-last, nothing unrolled.
#pragma once

#include "cpu/conv_pass.h"

namespace minidl::cpu {

// How the work is shared: `parts` of the batch summed apart and added in order (a small weight), or
// (parts = 1) stretches of the weight over the whole batch.
struct ConvWeightGradPlan {
  int64_t parts, rows;  // output rows of a band
};

// `weights`: elements of the gradient, its channels padded to vectors.
ConvWeightGradPlan plan_weight_grad(const ConvPass& pass, int64_t weights, int64_t element_bytes);

// grad_weight [groups * out, in, *kernel] of a forward pass
template <typename T>
void conv_weight_grad_direct(const ConvPass& pass, Image<const T> grad, Image<const T> input,
                             T* grad_weight);

}  // namespace minidl::cpu
