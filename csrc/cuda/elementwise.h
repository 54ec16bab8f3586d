// Elementwise operations: output[i] = op(inputs[i]), with broadcasting and any strides.
#pragma once

#include "cuda/array.h"
#include "cuda/elementwise_ops.h"
#include "cuda/stream.h"

namespace minidl::cuda {

// What an operation takes: an array, or one number for every element.
struct Operand {
  Array array;  // of shape [] and without data where `number` counts
  double number = 0;

  bool is_number() const { return !array.data && array.shape.empty(); }
};

// output = op(input); the input's shape broadcasts to the output's. float32 or float64, the same in
// all. An output may be one of the inputs; it may not overlap one in another way.
void elementwise(UnaryOp op, const Array& input, const Array& output, Stream stream);

// output = op(a, b); the shapes of a and b broadcast to the output's.
void elementwise(BinaryOp op, const Operand& a, const Operand& b, const Array& output,
                 Stream stream);

}  // namespace minidl::cuda
