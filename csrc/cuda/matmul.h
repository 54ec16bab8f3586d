// Matrix products of strided, batched matrices. A transpose is a swap of strides; no operand is
// copied.
#pragma once

#include "cuda/array.h"
#include "cuda/matmul_select.h"
#include "cuda/stream.h"

namespace minidl::cuda {

enum class Activation { none, relu, gelu, gelu_tanh, tanh, sigmoid, silu };

// What is done to the sums before they are written.
struct MatmulEpilogue {
  const Array* bias = nullptr;  // [N]
  const Array* addend =
      nullptr;  // broadcasts to [..., M, N]; may be out itself; not read where beta is 0
  double alpha = 1, beta = 1;
  Activation activation = Activation::none;
};

struct MatmulOptions {
  MatmulEpilogue epilogue = {};
  bool tf32 = false;                 // lets float32 be rounded to tf32's 10 bits of mantissa
  const Array* workspace = nullptr;  // see matmul_workspace()
};

// out[..., m, n] = activation(alpha (sum over k of a[..., m, k] b[..., k, n]) + beta addend +
// bias).
//   a [..., M, K]   b [..., K, N]   out [..., M, N]; leading axes of a and b broadcast to out's.
// float16, bfloat16, float32 or float64, the same in all. Sums are float32 for the 16-bit types,
// otherwise of the type; the order of a sum depends on shapes and strides alone. out overlaps
// neither a nor b. K = 0 gives sums of 0. Without a (large enough) workspace sums are not split.
void matmul(const Array& a, const Array& b, const Array& out, const MatmulOptions& options,
            Stream stream);

// How many elements of float32 (float64 for float64) the workspace of a product has: 0 for most.
std::int64_t matmul_workspace(const Array& a, const Array& b, const Array& out, bool tf32);

// The configuration that matmul() chooses.
MatmulConfig matmul_config(const Array& a, const Array& b, const Array& out, bool tf32);

}  // namespace minidl::cuda
