// Dropout: which elements stay, and the scaling of those that do.
#pragma once

#include "cuda/array.h"
#include "cuda/random.h"

namespace minidl::cuda {

// mask = u >= p with u one float32 uniform an element of `input` in C order; out = input * (mask *
// scale), scale rounded to the dtype. input: any floating-point dtype and strides; out has its
// shape and dtype, mask (bool) its shape, both dense in C order. out may be input itself where that
// is dense too. Throws std::invalid_argument for shapes, TypeMismatch for dtypes.
void dropout(const Array& input, double p, double scale, const RandomStream& random,
             const Array& out, const Array& mask, Stream stream);

// out = input * (mask * scale), for a mask (bool) that broadcasts to input's shape. The rest as
// above.
void masked_scale(const Array& input, const Array& mask, double scale, const Array& out,
                  Stream stream);

}  // namespace minidl::cuda
