// Direct convolution: bands of rows of an image, channels-last and with their padding, under
// kernels that hold a block of output channels of some points in registers. Windows are never
// unrolled (Georganas et al., "Anatomy of high-performance deep learning convolutions on SIMD
// architectures", 2018).
#pragma once

#include "cpu/conv_pass.h"

namespace minidl::cpu {

// How a pass is cut into tasks: every image and group into bands of `rows` output rows, the
// channels of each into pieces of `blocks` blocks.
struct ConvDirectPlan {
  int64_t rows, blocks;
};

// `lanes`: a vector's; blocks of output channels are two vectors wide.
ConvDirectPlan plan_direct(const ConvPass& pass, int64_t lanes, int64_t element_bytes);

// The elements of the input of a band of `rows` output rows, padding included.
int64_t band_elements(const ConvPass& pass, int64_t rows);

// output = bias + the pass's sums over all taps, zeros outside of the image. With `finite`: false,
// and nothing written, where a weight is not finite.
template <typename T>
bool conv_direct(const ConvPass& pass, Image<const T> input, const T* weight, const T* bias,
                 Image<T> output, bool finite);

}  // namespace minidl::cpu
