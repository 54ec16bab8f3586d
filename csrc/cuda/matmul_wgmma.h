// Matrix products of 16-bit floats on Hopper's tensor cores (sm_90a): bulk tensor copies feed
// wgmma.
#pragma once

#include "cuda/array.h"
#include "cuda/matmul_wgmma_tile.h"
#include "cuda/stream.h"

namespace minidl::cuda {

// out[..., m, n] = (sum over k of a[..., m, k] b[..., k, n]) + bias[n].
//   a [M, K] or [B, M, K]   b [K, N] or [B, K, N]   out [M, N] or [B, M, N]   bias [N] or null
// float16 or bfloat16, the same in all; sums are float32, in an order that shapes alone decide. A
// or b without B, or with B = 1, serves every matrix of out. Of a and of b one of the last two axes
// has stride 1; other strides are positive multiples of 16 bytes, as are the addresses. out may
// have any strides and overlaps neither. K > 0. Throws std::invalid_argument for anything else,
// std::runtime_error where the GPU is another one.
void matmul_wgmma(const Array& a, const Array& b, const Array& out, const Array* bias,
                  const MatmulWgmmaConfig& config, Stream stream);

// Whether matmul_wgmma() takes these arrays on the current device.
bool takes_matmul_wgmma(const Array& a, const Array& b, const Array& out);

// The configuration to run with.
MatmulWgmmaConfig matmul_wgmma_config(const Array& out);

}  // namespace minidl::cuda
