// Weighted sums along one axis by a table: resampling, padding by reflection, and their gradients.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace minidl::cpu {

// out[o, i, n] = the sum over t from starts[i] to starts[i + 1] of weight[t] input[o, index[t], n],
// in that order: input [outer, inputs, inner], out [outer, outputs, inner].
template <typename T>
struct ResampleProblem {
  int64_t outer, inputs, outputs, inner;
  const int64_t* starts;  // [outputs + 1]
  const int64_t* index;   // from 0 to inputs
  const T* weight;
};

template <typename T>
struct ResampleKernels {
  void (*resample)(const ResampleProblem<T>& p, const T* input, T* out);
};
MINIDL_KERNEL_TABLES(ResampleKernels, resample_kernels)

}  // namespace minidl::cpu
