// Matrix products of strided, batched matrices. A transpose is a swap of strides; no operand is
// copied.
#pragma once

#include "cuda/array.h"
#include "cuda/stream.h"

namespace minidl::cuda {

// out[..., m, n] = sum over k of a[..., m, k] b[..., k, n].
//   a [..., M, K]   b [..., K, N]   out [..., M, N]; leading axes of a and b broadcast to out's.
// float32 or float64, the same in all, which is also the type of the sum. out overlaps neither a
// nor b. K = 0 gives zeros.
void matmul(const Array& a, const Array& b, const Array& out, Stream stream);

}  // namespace minidl::cuda
