// Between matmul.cpp, which plans, and the kernel matmul_tiled.cu.
#pragma once

#include "cuda/matmul_select.h"
#include "cuda/stream.h"
#include "cuda/walk.h"

namespace minidl::cuda {

template <class T>
struct MatmulOperands {
  const T* a;
  const T* b;
  T* out;
  std::int64_t m, n, k;
  std::int64_t a_m, a_k, b_k, b_n, out_m, out_n;  // strides, in elements
  Walk<3> batch;                                  // of a, b and out over the leading axes
  std::int64_t tiles_m, tiles_n;
};

template <class T>
void matmul_tiled(const MatmulOperands<T>& operands, const MatmulConfig& config, Stream stream);

}  // namespace minidl::cuda
