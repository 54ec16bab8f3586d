// Elementwise operations: output[i] = op(inputs[i]), with broadcasting and any strides.
#pragma once

#include "cuda/array.h"
#include "cuda/elementwise_ops.h"
#include "cuda/stream.h"

namespace minidl::cuda {

// output = op(input); shapes equal, or the input's broadcasts to the output's. float32 or float64,
// the same in both. The output may be the input itself; it may not overlap it in another way.
void elementwise(UnaryOp op, const Array& input, const Array& output, Stream stream);

// output = op(a, b); the shapes of a and b broadcast to the output's.
void elementwise(BinaryOp op, const Array& a, const Array& b, const Array& output, Stream stream);

}  // namespace minidl::cuda
