// Elementwise operations: output[i] = op(inputs[i]), with broadcasting and any strides.
#pragma once

#include <cstdint>

#include "cuda/array.h"
#include "cuda/elementwise_ops.h"
#include "cuda/stream.h"

namespace minidl::cuda {

// A number as Python gives it; `whole` counts where the operation computes in integers.
struct Number {
  double real = 0;
  std::int64_t whole = 0;
};

// What an operation takes: an array, or one number for every element.
struct Operand {
  Array array;  // of shape [] and without data where `number` counts
  Number number = {};

  bool is_number() const { return !array.data && array.shape.empty(); }
};

// output = op(inputs; numbers), as many of both as the operation's row in elementwise_ops.h says;
// the inputs' shapes broadcast to the output's [*]. The arrays are of one family: float16, bfloat16
// and float32, which may be mixed and are computed in float32; float64; uint64; bool and the other
// integers, computed in int64, wrapping around. The output is of that family, or bool, as it must
// be for an operation that tells a truth. An output may be one of the inputs; it may not overlap
// one in another way. Throws TypeMismatch for other dtypes, std::invalid_argument for shapes.
void elementwise(ElementwiseOp op, const Operand* inputs, const Number* numbers,
                 const Array& output, Stream stream);

}  // namespace minidl::cuda
