// 3 x 3 convolution with stride 1 by Winograd's minimal filtering F(2x2, 3x3): 2.25 times fewer
// multiplications than the sum over taps. Its rounding error is no larger, since its sums over
// channels are 9 times shorter; but a value that is far larger than its neighbours costs them
// digits, within its tile (Lavin and Gray, "Fast algorithms for convolutional neural networks",
// 2015).
#pragma once

#include "cpu/conv_pass.h"

namespace minidl::cpu {

// A task transforms bands of `rows` rows of tiles of `images` images together.
struct WinogradPlan {
  int64_t rows, images;
};

// Whether the pass is of that kind, and large enough for the transforms to pay.
bool winograd_fits(const ConvPass& pass);
WinogradPlan plan_winograd(const ConvPass& pass, int64_t element_bytes);

// output = bias + the pass's sums. False, and output not to be used, where a value is not finite: a
// NaN or infinity would reach outputs of its tile whose windows it is not in.
template <typename T>
bool conv_winograd(const ConvPass& pass, Image<const T> input, const T* weight, const T* bias,
                   Image<T> output);

}  // namespace minidl::cpu
