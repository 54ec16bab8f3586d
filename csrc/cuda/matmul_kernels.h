// Between matmul.cpp, which plans, and the kernels matmul_<algorithm>.cu.
#pragma once

#include "common/half.h"
#include "cuda/matmul.h"
#include "cuda/matmul_select.h"
#include "cuda/stream.h"
#include "cuda/walk.h"

namespace minidl::cuda {

// out = activation(alpha sum + beta addend + bias).
template <class T>
struct MatmulEpilogueOperands {
  const T* bias = nullptr;  // of [M, N], broadcast by strides of 0; null where absent
  std::int64_t bias_m = 0, bias_n = 0;
  const T* addend = nullptr;  // [batch, M, N]
  std::int64_t addend_m = 0, addend_n = 0;
  accumulator_t<T> alpha = 1, beta = 0;
  Activation activation = Activation::none;
};

// Strides and offsets are in elements.
template <class T>
struct MatmulOperands {
  const T* a;
  const T* b;
  T* out;
  std::int64_t m, n, k;
  std::int64_t a_m, a_k, b_k, b_n, out_m, out_n;
  Walk<4> batch;  // of a, b, out and the addend over the leading axes
  std::int64_t tiles_m, tiles_n;
  MatmulLayout a_layout, b_layout;
  int splits;
  std::int64_t k_per_split;
  accumulator_t<T>* partials;  // [splits, batch, M, N]; null where sums are not split
  MatmulEpilogueOperands<T> epilogue;
};

// float, double and BFloat16.
template <class T>
void matmul_simt(const MatmulOperands<T>& operands, int tile, Stream stream);

// Half, BFloat16, and float, which is rounded to tf32.
template <class T>
void matmul_mma(const MatmulOperands<T>& operands, int tile, Stream stream);

// For m = 1, all types.
template <class T>
void matmul_vector(const MatmulOperands<T>& operands, Stream stream);

// Adds the partial sums, always in the same order, and finishes the outputs.
template <class T>
void matmul_finish(const MatmulOperands<T>& operands, Stream stream);

}  // namespace minidl::cuda
