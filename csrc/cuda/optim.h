// One optimizer step over many tensors at once. What changes from step to step lies in device
// memory: a captured step reads what is there when it runs.
#pragma once

#include <cstdint>

#include "common/dispatch.h"
#include "cuda/stream.h"

namespace minidl::cuda {

inline constexpr int optim_arrays = 5;
inline constexpr std::int64_t optim_chunk = 4096;  // elements of a tensor that a block takes

// A row of the table: 64-bit words, so that Python can write it. Every array is dense, has `size`
// elements in the same order, and shares memory with no other.
struct OptimTensor {
  std::uint64_t address[optim_arrays];  // parameter, gradient, state; 0 where the step has none
  std::int64_t size;
  std::int64_t first_chunk;  // chunks of the tensors before this one
  std::int64_t fresh;  // sgd: not 0 where the buffer has no value yet and takes the gradient's
};

// All in device memory. `tensors` has one row more than there are tensors, whose first_chunk is
// `chunks`.
struct OptimTable {
  const OptimTensor* tensors;
  std::int64_t count, chunks;
  const double* options;  // the numbers listed below
};

// options: lr, momentum, dampening, weight_decay. State: the momentum buffer, or none.
//   g = grad (negated by maximize) + weight_decay * param
//   buffer = momentum * buffer + (1 - dampening) * g   (fresh: g)
//   param -= lr * buffer    (nesterov: lr * (g + momentum * buffer))
void sgd_step(DType dtype, const OptimTable& table, bool nesterov, bool maximize, Stream stream);

// options: lr, beta1, beta2, eps, weight_decay. State: exp_avg, exp_avg_sq, max_exp_avg_sq (none
// without AMSGrad). `clocks` (count, 3): steps done so far, which are counted on, and two words of
// workspace.
//   g = grad (negated by maximize) + weight_decay * param (decoupled: param *= 1 - lr weight_decay)
//   m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2
//   param -= lr / (1 - beta1^step) * m / (sqrt(v) / sqrt(1 - beta2^step) + eps)
// Source: D. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015.
void adam_step(DType dtype, const OptimTable& table, double* clocks, bool decoupled, bool maximize,
               Stream stream);

// Both take float16, bfloat16, computed in float32, float32 and float64; TypeMismatch for others.

}  // namespace minidl::cuda
