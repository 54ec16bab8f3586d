// Batch and group norm: channels normalised by statistics over the batch, or over a group of
// channels of a sample, and all of space.
#pragma once

#include <cstdint>

#include "cuda/array.h"
#include "cuda/stream.h"

namespace minidl::cuda {

// x, y, g, dx: (N, C, ...), any floating-point dtype, the same for all, any strides. weight, bias:
// (C,), dense, null where there is none, of that dtype or of the statistics'. Statistics are
// float64 where x is, else float32, and computed in that type. groups = 0 is batch norm: statistics
// (C,). Else they are (N groups,), and groups divides C. `partial` is workspace, dense, of the
// statistics' dtype and norm_channels_workspace() elements. Sums are added in a fixed order.
// Throw std::invalid_argument for shapes, TypeMismatch for dtypes.

// mean, inv_std = 1 / sqrt(var + eps), and the biased variance where it is asked for. NaN of
// nothing.
void norm_statistics(const Array& x, std::int64_t groups, double eps, const Array& mean,
                     const Array* variance, const Array& inv_std, const Array& partial,
                     Stream stream);

// y = (x - mean) inv_std weight + bias. y may be x itself.
void norm_apply(const Array& x, std::int64_t groups, const Array& mean, const Array& inv_std,
                const Array* weight, const Array* bias, const Array& y, Stream stream);

// What the backward pass writes; null is not asked for. dweight: (C,) in the weight's dtype, dbias:
// (C,) in that of the statistics.
struct ChannelNormGrads {
  const Array *dx, *dweight, *dbias;
};

// dx = inv_std (g_hat - mean(g_hat) - x_hat mean(g_hat x_hat)) with g_hat = g weight; without the
// two means where the statistics do not `vary` with x. dweight = sum g x_hat, dbias = sum g. dx may
// be g itself. `means`, (2, statistics), dense, is workspace of the statistics' dtype.
void norm_channels_backward(const Array& g, const Array& x, std::int64_t groups,
                            const Array* weight, const Array& mean, const Array& inv_std, bool vary,
                            const ChannelNormGrads& grads, const Array& partial, const Array& means,
                            Stream stream);

std::int64_t norm_channels_workspace(const Array& x, std::int64_t groups);

// inv_std = 1 / sqrt(variance + eps); all (C,) and dense, float32 or float64.
void norm_inverse(const Array& variance, double eps, const Array& inv_std, Stream stream);

// running = (1 - momentum) running + momentum statistic, in place, for mean and variance, of which
// the variance is made unbiased by count / max(count - 1, 1). Either running one may be null. All
// (C,) and dense; running ones have any floating-point dtype.
void norm_update(const Array* running_mean, const Array* running_var, const Array& mean,
                 const Array& variance, double momentum, std::int64_t count, Stream stream);

}  // namespace minidl::cuda
