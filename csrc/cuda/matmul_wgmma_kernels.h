// Between matmul_wgmma.cpp, which plans, and the kernel matmul_wgmma.cu.
#pragma once

#include "cuda/matmul_wgmma_tile.h"
#include "cuda/stream.h"
#include "cuda/tensor_map.h"

namespace minidl::cuda {

inline constexpr int wgmma_tile_k = 64;  // 128 bytes of 16-bit floats: a row of the swizzle
inline constexpr int wgmma_box_rows = 64, wgmma_box_columns = 64;  // of the result's boxes

// An operand's tensor map is [batch, rows, k] with k innermost, or [batch, k, rows] (`k_unit` is
// false), rows being those of a and the columns of b.
struct MatmulWgmmaOperand {
  TensorMap map;
  bool k_unit;
  bool batched;  // else its one matrix serves all of out's
};

template <class T>
struct MatmulWgmmaOutput {
  T* data;
  const T* bias;  // [n], added to every row; null where absent
  std::int64_t bias_stride;
  std::int64_t batch_stride, m_stride, n_stride;  // in elements
  int batch, m, n, k;
  bool pairs;  // n_stride is 1 and two neighbours from an even column on lie in one aligned word
  bool boxes;  // its tensor map is given: [batch, m, n] with n innermost
  bool a_batched, b_batched;
};

template <class T>
void matmul_wgmma_kernel(const MatmulWgmmaOperand& a, const MatmulWgmmaOperand& b,
                         const TensorMap& map, const MatmulWgmmaOutput<T>& out,
                         const MatmulWgmmaConfig& config, Stream stream);

}  // namespace minidl::cuda
