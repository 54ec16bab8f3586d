// From the arrays of a convolution to what its kernels take.
#pragma once

#include "cuda/conv.h"
#include "cuda/conv_kernels.h"

namespace minidl::cuda {

// The arrays of a convolution with three axes an image, absent ones of size 1; checked against each
// other.
struct ConvArrays {
  Array input, weight, output;  // or the gradients by them
  std::int64_t stride[3], padding[3], dilation[3], groups;
  int axes;  // that were there
};

// Throws std::invalid_argument (TypeMismatch for a dtype) for arrays that do not fit each other.
ConvArrays conv_arrays(const Array& input, const Array& weight, const Array& output,
                       const ConvGeometry& geometry);

// As the kernels take it, reading packs of `pack` elements where possible.
ConvLayout conv_layout(const ConvArrays& arrays, ConvPass pass, int pack);

std::int64_t conv_classes(const ConvLayout& layout);
// Of one image in the largest class, and of one output in the class with the most taps.
std::int64_t conv_pixels_of_image(const ConvLayout& layout);
std::int64_t conv_terms(const ConvLayout& layout);

ConvStrides conv_strides(const Array& array);  // of [N, C, D, H, W] or [K, C / G, T, R, S]

// Whether the kernels can read a weight of these strides as it is: a row an output channel, the
// terms in their order, rows of whole packs of 16 bytes.
bool conv_weight_is_packed(const Array& weight, const ConvLayout& layout);

}  // namespace minidl::cuda
