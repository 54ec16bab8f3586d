// Between norm_rows.cpp, which plans, and the kernels norm_rows_<algorithm>.cu.
#pragma once

#include "cuda/affine.h"
#include "cuda/norm_rows_select.h"
#include "cuda/stream.h"

namespace minidl::cuda {

template <class T>
struct RowNormArrays {
  using Real = accumulator_t<T>;
  const T *x, *g;
  T* out;  // y forward, dx backward, or null
  Affine<T> weight, bias, dweight, dbias;
  Real *mean, *inv_std;  // mean is null for RMS norm
  Real* partial;         // [workers][2][length]: sums of g x_hat and of g over a worker's rows
  std::int64_t rows, length;
  Real eps;
  bool packs;  // rows are whole packs, and aligned
};

// Elements of a row that a thread keeps: forward, and backward, where it keeps four arrays of them.
template <class T>
inline constexpr int norm_held = sizeof(T) == 8 ? 8 : 16;
template <class T>
inline constexpr int norm_grad_held = sizeof(T) == 8 ? 4 : 8;

template <class T>
void norm_rows_held(const RowNormArrays<T>& arrays, const RowNormConfig& config, Stream stream);
template <class T>
void norm_rows_streamed(const RowNormArrays<T>& arrays, const RowNormConfig& config, Stream stream);
template <class T>
void norm_rows_grad_held(const RowNormArrays<T>& arrays, const RowNormConfig& config,
                         Stream stream);
template <class T>
void norm_rows_grad_streamed(const RowNormArrays<T>& arrays, const RowNormConfig& config,
                             Stream stream);
// The partial sums of rows that are streamed, and the last sum of all partial ones.
template <class T>
void norm_columns_parts(const RowNormArrays<T>& arrays, std::int64_t parts, Stream stream);
template <class T>
void norm_columns_sum(const RowNormArrays<T>& arrays, std::int64_t parts, Stream stream);

}  // namespace minidl::cuda
