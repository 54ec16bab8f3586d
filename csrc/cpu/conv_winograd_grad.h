// The gradient of a 3 x 3 convolution with stride 1 by its weight, through the transforms of
// cpu/conv_winograd.h turned round: as the outputs of a tile are A^T (G g G^T * B^T d B) A, the
// gradient of g is G^T (A dy A^T * B^T d B) G, summed over tiles: 16 products a tile in place of
// the 36 of its four outputs.
#pragma once

#include "cpu/conv_pass.h"

namespace minidl::cpu {

// A chunk of pieces, each some rows of tiles of an image, is transformed, then multiplied.
struct WinogradGradPlan {
  int64_t rows;    // of tiles of a piece
  int64_t pieces;  // of a chunk
};

// Whether the pass is of that kind, and large enough for the transforms to pay.
bool winograd_grad_fits(const ConvPass& pass);
WinogradGradPlan plan_winograd_grad(const ConvPass& pass, int64_t element_bytes);

// grad_weight [groups * out, in, 3, 3] of a forward pass. False, and grad_weight not to be used,
// where a value is not finite: a NaN or infinity would reach weights that it is not multiplied
// with.
template <typename T>
bool conv_winograd_weight_grad(const ConvPass& pass, Image<const T> grad, Image<const T> input,
                               T* grad_weight);

}  // namespace minidl::cpu
