// Losses of class indices, and their gradients.
#pragma once

#include <cstdint>

#include "cuda/array.h"
#include "cuda/fault.h"
#include "cuda/stream.h"

namespace minidl::cuda {

enum class LossReduction { none, mean, sum };

// What a loss is told beside its input (N, C, d1, ...) or (C,), any floating-point dtype. `target`
// (int64) has the input's shape without C. A target outside [0, C) that is not `ignore_index` goes
// to `record` and counts as ignored. `weight` (C,) has the input's dtype, or is null.
struct ClassTargets {
  const Array& target;
  const Array* weight;
  std::int64_t ignore_index;
  LossReduction reduction;
  double label_smoothing;
  FaultRecord* record;
};

// loss = (1 - s) w[t] (L - x[t]) + s / C sum_c w[c] (L - x[c])    with L = log sum_c exp(x[c])
// and 0 where ignored; a mean divides by the sum of the weights w[t]. `loss` has the target's shape
// where reduction is none, else none; log_sums (float64) takes L and has the target's shape; total
// () takes the sum of the weights. loss and total have the input's dtype. `partial` is workspace,
// dense float64, two elements a target. Strides are any; summed in a fixed order.
// Throws std::invalid_argument for shapes, TypeMismatch for dtypes.
void cross_entropy(const Array& input, const ClassTargets& targets, const Array& loss,
                   const Array& log_sums, const Array& total, const Array& partial, Stream stream);

// grad_input[c] = g (p[c] ((1 - s) w[t] + s / C sum_k w[k]) - s / C w[c] - (1 - s) w[t] [c = t])
// with p = exp(x - L), g divided by total for a mean; 0 where ignored. `grad` is shaped as loss.
void cross_entropy_backward(const Array& grad, const Array& input, const ClassTargets& targets,
                            const Array& log_sums, const Array& total, const Array& grad_input,
                            Stream stream);

// loss = -w[t] x[t]; the rest as above, without smoothing. `total` may not be left out.
void nll_loss(const Array& input, const ClassTargets& targets, const Array& loss,
              const Array& total, const Array& partial, Stream stream);

// grad_input[c] = -w[t] g [c = t]; for a mean `total` and `partial` are workspace as above.
void nll_loss_backward(const Array& grad, const ClassTargets& targets, const Array& total,
                       const Array& partial, const Array& grad_input, Stream stream);

}  // namespace minidl::cuda
