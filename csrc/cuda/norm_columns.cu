// Sums over the rows of a norm, for the gradients of weight and bias: neighbouring threads take
// neighbouring columns, and the rows of a block of threads share the terms.
#include "cuda/launch.h"
#include "cuda/norm_rows_kernels.h"
#include "cuda/ptx/shared.h"
#include "cuda/two_sums.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------

constexpr int columns = 32, terms = 8;  // of a block

// ---- Kernel -----------------------------------------------------------------------------------

// The sums of the threads of a column, in the first of them.
template <class Real>
__device__ __forceinline__ TwoSums<Real> sum_terms(TwoSums<Real> sums) {
  TwoSums<Real>* shared = dynamic_shared<TwoSums<Real>>();  // [terms][columns]
  shared[threadIdx.y * columns + threadIdx.x] = sums;
  __syncthreads();
  if (threadIdx.y != 0) return sums;
  for (int y = 1; y < terms; ++y)
    sums = TwoSumsOp<Real>{}.combine(sums, shared[y * columns + threadIdx.x]);
  return sums;
}

// partial[part] = sums over the rows of the part.
template <class T>
__global__ void __launch_bounds__(columns* terms)
    norm_columns_parts_kernel(RowNormArrays<T> a, std::int64_t rows_per_part) {
  using Real = accumulator_t<T>;
  const std::int64_t column = blockIdx.x * static_cast<std::int64_t>(columns) + threadIdx.x;
  const std::int64_t part = blockIdx.y, start = part * rows_per_part;
  const std::int64_t end = start + rows_per_part < a.rows ? start + rows_per_part : a.rows;
  TwoSums<Real> sums = {0, 0};
  for (std::int64_t row = start + threadIdx.y; column < a.length && row < end; row += terms) {
    const std::int64_t i = row * a.length + column;
    const Real mean = a.mean ? a.mean[row] : Real(0), g = static_cast<Real>(a.g[i]);
    sums.first += g * ((static_cast<Real>(a.x[i]) - mean) * a.inv_std[row]);
    sums.second += g;
  }
  sums = sum_terms(sums);
  if (threadIdx.y != 0 || column >= a.length) return;
  a.partial[part * 2 * a.length + column] = sums.first;
  a.partial[(part * 2 + 1) * a.length + column] = sums.second;
}

// dweight, dbias = sums over the parts.
template <class T>
__global__ void __launch_bounds__(columns* terms)
    norm_columns_sum_kernel(RowNormArrays<T> a, std::int64_t parts) {
  using Real = accumulator_t<T>;
  const std::int64_t column = blockIdx.x * static_cast<std::int64_t>(columns) + threadIdx.x;
  TwoSums<Real> sums = {0, 0};
  for (std::int64_t part = threadIdx.y; column < a.length && part < parts; part += terms) {
    sums.first += a.partial[part * 2 * a.length + column];
    sums.second += a.partial[(part * 2 + 1) * a.length + column];
  }
  sums = sum_terms(sums);
  if (threadIdx.y != 0 || column >= a.length) return;
  if (a.dweight.data) a.dweight.store(column, sums.first);
  if (a.dbias.data) a.dbias.store(column, sums.second);
}

template <class T>
LaunchShape shape_of(const RowNormArrays<T>& arrays, std::int64_t parts) {
  return {.grid = {(arrays.length + columns - 1) / columns, parts},
          .block = {columns, terms},
          .shared_bytes = columns * terms * sizeof(TwoSums<accumulator_t<T>>)};
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T>
void norm_columns_parts(const RowNormArrays<T>& arrays, std::int64_t parts, Stream stream) {
  if (parts == 0) return;
  launch("norm_columns_parts", norm_columns_parts_kernel<T>, shape_of(arrays, parts), stream,
         arrays, (arrays.rows + parts - 1) / parts);
}

template <class T>
void norm_columns_sum(const RowNormArrays<T>& arrays, std::int64_t parts, Stream stream) {
  launch("norm_columns_sum", norm_columns_sum_kernel<T>, shape_of(arrays, 1), stream, arrays,
         parts);
}

#define MINIDL_INSTANCE(T)                                                            \
  template void norm_columns_parts<T>(const RowNormArrays<T>&, std::int64_t, Stream); \
  template void norm_columns_sum<T>(const RowNormArrays<T>&, std::int64_t, Stream);
MINIDL_NORM_TYPES(MINIDL_INSTANCE)
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
