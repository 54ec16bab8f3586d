// Between cross_entropy.cpp, which plans, and the kernels cross_entropy_<algorithm>.cu.
#pragma once

#include <cuda_runtime.h>

#include "common/half.h"
#include "cuda/cross_entropy.h"
#include "cuda/cross_entropy_select.h"
#include "cuda/launch_shape.h"
#include "cuda/stream.h"
#include "cuda/walk.h"

namespace minidl::cuda {

template <class T>
struct ClassArrays {
  using Real = accumulator_t<T>;
  // The arrays that the walk over the samples steps through.
  enum { at_input, at_target, at_log_sums, at_loss, at_output, arrays };

  const T* input;  // null where nll_loss asks for the weights alone
  const std::int64_t* target;
  const T* weight;  // or null
  double* log_sums;
  T* loss;    // cross_entropy: one a sample, or null; backward: the gradient of the loss, 0 strides
  T* output;  // of the backward pass
  T* total;
  double* partial;  // [blocks][2]: sums of losses and of weights
  Walk<arrays> rows;
  std::int64_t classes, ignore_index;
  std::int64_t input_stride, output_stride, weight_stride;  // along the classes
  Real smoothing;
  LossReduction reduction;
  FaultRecord* record;
  ClassConfig config;
  bool packs;  // classes are dense, whole packs, and aligned

  __device__ __forceinline__ Real weight_of(std::int64_t c) const {
    return weight ? static_cast<Real>(weight[c * weight_stride]) : Real(1);
  }
};

inline constexpr int nll_rows_per_block = 128;
inline std::int64_t nll_blocks(std::int64_t rows) {
  return (rows + nll_rows_per_block - 1) / nll_rows_per_block;
}

inline LaunchShape class_shape(const ClassConfig& config, std::int64_t rows, std::size_t shared) {
  return {.grid = {config.blocks(rows)},
          .block = {config.across ? config.rows_per_block : config.threads_per_row,
                    config.across ? config.threads_per_row : config.rows_per_block},
          .shared_bytes = shared};
}

template <class T>
void cross_entropy_rows(const ClassArrays<T>& arrays, Stream stream);
template <class T>
void nll_rows(const ClassArrays<T>& arrays, Stream stream);
// loss and total from `blocks` partial sums.
template <class T>
void class_totals(const ClassArrays<T>& arrays, std::int64_t blocks, Stream stream);
// Without log_sums: of nll_loss.
template <class T>
void cross_entropy_grad(const ClassArrays<T>& arrays, Stream stream);

}  // namespace minidl::cuda
