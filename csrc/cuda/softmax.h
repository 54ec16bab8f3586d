// Softmax along one axis, and its gradient.
#pragma once

#include <cstdint>

#include "cuda/array.h"
#include "cuda/stream.h"

namespace minidl::cuda {

// output = exp(x - max x) / sum exp(x - max x) along `dim`, or its logarithm. Both arrays have one
// shape and one floating-point dtype, any strides; output may be input itself. A row that holds NaN
// or +infinity, or only -infinity, gives NaN. Throws std::invalid_argument for shapes that differ,
// TypeMismatch for dtypes, std::out_of_range for `dim`.
void softmax(const Array& input, std::int64_t dim, bool log, const Array& output, Stream stream);

// grad_input = y (g - sum g y) along `dim` with y = output of softmax, or g - exp(y) sum g with
// y = its logarithm. Arrays and errors as above.
void softmax_backward(const Array& grad, const Array& output, std::int64_t dim, bool log,
                      const Array& grad_input, Stream stream);

}  // namespace minidl::cuda
