// Layer norm and RMS norm: every row of a matrix normalised by its own statistics.
#pragma once

#include <cstdint>

#include "cuda/array.h"
#include "cuda/stream.h"

namespace minidl::cuda {

// Arrays are dense in C order. x, y, g, dx: (rows, length), any floating-point dtype, the same for
// all. weight, bias: (length,), null where there is none, of that dtype or of the statistics'.
// mean, inv_std: (rows,), float64 where x is, else float32; computed in that type. Without `mean`
// it is RMS norm: the mean counts as 0. Sums are added in a fixed order. Throw
// std::invalid_argument for shapes, TypeMismatch for dtypes.

// y = (x - mean) inv_std weight + bias with inv_std = 1 / sqrt(var + eps). y may be x itself.
void norm_rows(const Array& x, const Array* weight, const Array* bias, double eps, const Array& y,
               const Array* mean, const Array& inv_std, Stream stream);

// What the backward pass writes; null is not asked for. dweight: (length,) in the weight's dtype,
// dbias: (length,) in that of the statistics.
struct RowNormGrads {
  const Array *dx, *dweight, *dbias;
};

// dx = inv_std (g_hat - mean(g_hat) - x_hat mean(g_hat x_hat)) with g_hat = g weight, without
// mean(g_hat) for RMS norm; dweight = sum over rows of g x_hat, dbias of g. dx may be g itself.
// `partial` is workspace, dense, of the statistics' dtype and norm_rows_workspace() elements.
void norm_rows_backward(const Array& g, const Array& x, const Array* weight, const Array* mean,
                        const Array& inv_std, const RowNormGrads& grads, const Array* partial,
                        Stream stream);

// 0 where nothing is summed over rows.
std::int64_t norm_rows_workspace(std::int64_t rows, std::int64_t length, bool sums);

}  // namespace minidl::cuda
