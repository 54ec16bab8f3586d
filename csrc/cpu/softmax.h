// Softmax, log-softmax and cross entropy on the CPU, float and double, with their gradients.
//
// Arrays are contiguous. A softmax runs over the middle axis of [outer, classes, inner]; `inner` is
// 1 when it runs over the last axis. Outputs may not overlap inputs. NaN spreads over its whole
// row, as do a row of -infinity only and one that holds +infinity (PyTorch's results). Every kernel
// gives the same bits for any number of threads.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace minidl::cpu {

struct Rows {
  int64_t outer, classes, inner;
  int64_t count() const { return outer * inner; }
};

struct CrossEntropy {
  Rows rows;
  int64_t ignore_index;  // a target of this value adds nothing
  double smoothing;      // label smoothing, in [0, 1]
};

template <typename T>
struct SoftmaxKernels {
  // output = exp(input - max) / sum(exp(input - max))
  void (*softmax)(const Rows& rows, const T* input, T* output);

  // output = input - max - log(sum(exp(input - max)))
  void (*log_softmax)(const Rows& rows, const T* input, T* output);

  // output[outer, inner] = log(sum(exp(input))); +infinity where there is one
  void (*logsumexp)(const Rows& rows, const T* input, T* output);

  // grad_input = output * (grad - sum(grad * output))
  void (*softmax_backward)(const Rows& rows, const T* grad, const T* output, T* grad_input);

  // grad_input = grad - exp(output) * sum(grad)
  void (*log_softmax_backward)(const Rows& rows, const T* grad, const T* output, T* grad_input);

  // losses[outer, inner]  = (1 - s) w[t] (log_sum - x[t]) + s / C sum_c w[c] (log_sum - x[c]),
  //                         0 where ignored
  // log_sums[outer, inner] = log(sum(exp(x))) in double whatever T is: at logits of 1e4 a float has
  // no digits left
  //
  // targets[outer, inner] lie in [0, classes) or equal ignore_index (see first_out_of_range);
  // weight[classes] may be null, meaning ones.
  void (*cross_entropy)(const CrossEntropy& problem, const T* input, const int64_t* targets,
                        const T* weight, T* losses, double* log_sums);

  // grad_input[outer, classes, inner] = d loss / d input, times scale[k * scale_step] of row k =
  // [outer, inner].
  void (*cross_entropy_backward)(const CrossEntropy& problem, const T* scale, int64_t scale_step,
                                 const T* input, const int64_t* targets, const T* weight,
                                 const double* log_sums, T* grad_input);
};
MINIDL_KERNEL_TABLES(SoftmaxKernels, softmax_kernels)

// What a mean divides by: the sum of the weights of the targets that are not ignored.
template <typename T>
double counted_weight(const CrossEntropy& problem, const int64_t* targets, const T* weight);

template <typename T>
double sum_of(int64_t count, const T* values);

// Position of the first of `count` indices outside [0, limit) that is not *ignore (null: nothing is
// ignored); -1 where there is none.
int64_t first_out_of_range(const int64_t* indices, int64_t count, int64_t limit,
                           const int64_t* ignore);

}  // namespace minidl::cpu
