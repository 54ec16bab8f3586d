// One optimizer step over all parameters of a group, which are worked through as if they were one
// array: in pieces of one size, whatever the sizes of the tensors. Every pointer is contiguous
// memory of `size` elements; no two arrays overlap.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace minidl::cpu {

struct AdamOptions {
  double lr, beta1, beta2, eps, weight_decay;
  bool decoupled;  // weight decay shrinks the parameter (AdamW) instead of adding to the gradient
  bool maximize;
};

template <class T>
struct AdamTensor {
  T* param;  // updated
  const T* grad;
  T* exp_avg;         // updated: running mean of the gradient
  T* exp_avg_sq;      // updated: running mean of its square
  T* max_exp_avg_sq;  // updated: largest exp_avg_sq so far; null without amsgrad
  int64_t size;
  double correction1, correction2;  // 1 - beta1^step, 1 - beta2^step; step is 1 at the first call
};

struct SgdOptions {
  double lr, momentum, dampening, weight_decay;
  bool nesterov, maximize;
};

template <class T>
struct SgdTensor {
  T* param;  // updated
  const T* grad;
  T* buffer;  // updated: the momentum; null where momentum is 0
  int64_t size;
  bool fresh;  // the buffer has no value yet and takes the gradient's
};

template <class T>
struct OptimKernels {
  //   g = grad (negated by maximize) + weight_decay * param (or param *= 1 - lr * weight_decay)
  //   m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2
  //   param -= lr / correction1 * m / (sqrt(v / correction2) + eps)
  // Source: D. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015.
  void (*adam_step)(const AdamTensor<T>* tensors, int64_t count, const AdamOptions& options);

  //   g = grad (negated by maximize) + weight_decay * param
  //   buffer = momentum * buffer + (1 - dampening) * g   (fresh: g)
  //   param -= lr * buffer    (nesterov: lr * (g + momentum * buffer))
  void (*sgd_step)(const SgdTensor<T>* tensors, int64_t count, const SgdOptions& options);
};
MINIDL_KERNEL_TABLES(OptimKernels, optim_kernels)

}  // namespace minidl::cpu
