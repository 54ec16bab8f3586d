// Reductions on the CPU, float and double: x[R0, K0, R1, K1] -> out[K0, K1] over both R, in C order
// without gaps (an extent may be 1): leading, trailing, middle axes, or all axes but one.
//
// The order of the operations depends on the extents only, so the bits do not change with the
// number of threads.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace minidl::cpu {

struct ReduceShape {
  int64_t r0 = 1, k0 = 1, r1 = 1, k1 = 1;
};

template <typename T>
struct ReductionKernels {
  // At most 16 to 32 additions (multiplications) follow each other in float; beyond that they are
  // pairwise and in double. 0 and 1 over nothing.
  void (*sum)(const ReduceShape& shape, const T* x, T* out);
  void (*sum_squares)(const ReduceShape& shape, const T* x, T* out);
  void (*prod)(const ReduceShape& shape, const T* x, T* out);
  // NaN where there is one; -infinity and infinity over nothing.
  void (*amax)(const ReduceShape& shape, const T* x, T* out);
  void (*amin)(const ReduceShape& shape, const T* x, T* out);
};
MINIDL_KERNEL_TABLES(ReductionKernels, reduction_kernels)

// Sums of whole numbers, which wrap around.
void sum_whole(const ReduceShape& shape, const int64_t* x, int64_t* out);

template <typename T>
struct PositionKernels {
  // out[K, M] = the first index of the largest (smallest) element of x[K, R, M] along R > 0; the
  // first NaN counts as such.
  void (*argmax)(int64_t k, int64_t r, int64_t m, const T* x, int64_t* out);
  void (*argmin)(int64_t k, int64_t r, int64_t m, const T* x, int64_t* out);
  // out[K, R, M] = the sums (products) of x[K, 0 .. r, M], formed in double
  void (*cumsum)(int64_t k, int64_t r, int64_t m, const T* x, T* out);
  void (*cumprod)(int64_t k, int64_t r, int64_t m, const T* x, T* out);
};
MINIDL_KERNEL_TABLES(PositionKernels, position_kernels)

}  // namespace minidl::cpu
