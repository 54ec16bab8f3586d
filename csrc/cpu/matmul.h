// Batched products C[..., M, N] = A[..., M, K] B[..., K, N] + bias[N] on all threads: chooses how a
// product is cut (cpu/gemm_select.h) and runs it with the kernels of cpu/gemm.h.
#pragma once

#include <array>
#include <cstdint>

#include "common/array_view.h"
#include "cpu/gemm.h"

namespace minidl::cpu {

template <typename T>
struct MatmulProblem {
  GemmShape shape;
  Matrix<T> a, b;  // of the first product of the batch; any strides
  // Leading dimensions, outermost first, with the distance in A and in B from one to the next:
  // 0 where it broadcasts.
  int rank = 0;
  std::array<int64_t, kMaxRank> batch, a_stride, b_stride;
  T* c = nullptr;             // [batch..., M, N] without gaps
  Epilogue<T> epilogue = {};  // row_bias must be null
};

// The same bits for any number of threads.
template <typename T>
void matmul(MatmulProblem<T> problem);

}  // namespace minidl::cpu
