// The forward pass of layer and RMS norm: a warp or a block a row. The variance is that of the
// centred elements, which takes no second read where the row stays in registers.
#include "cuda/block_reduce.h"
#include "cuda/launch.h"
#include "cuda/norm_rows_kernels.h"
#include "cuda/ptx/shared.h"
#include "cuda/reduce_ops.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// Threads a row: norm_rows_select.h. One block an SM is enough to ask for: for two, the compiler
// spills registers on sm_75.

// ---- Kernel -----------------------------------------------------------------------------------

// Elements first, first + step, ... (packs: neighbours) of a row; 0 from `length` on.
template <int n, class T>
__device__ __forceinline__ void load_row(const RowNormArrays<T>& a, const T* row,
                                         std::int64_t first, int step, accumulator_t<T> (&x)[n]) {
  using Real = accumulator_t<T>;
  if (a.packs) {
    Pack<T, n> pack = {};
    if (first < a.length) pack = load_pack<Pack<T, n>>(row + first);
    MINIDL_UNROLL
    for (int k = 0; k < n; ++k) x[k] = first < a.length ? static_cast<Real>(pack[k]) : Real(0);
    return;
  }
  MINIDL_UNROLL
  for (int k = 0; k < n; ++k)
    x[k] = first + k * step < a.length ? static_cast<Real>(row[first + k * step]) : Real(0);
}

// y of the elements that load_row() gives.
template <int n, class T>
__device__ __forceinline__ void store_row(const RowNormArrays<T>& a, T* row, std::int64_t first,
                                          int step, const accumulator_t<T> (&x)[n],
                                          accumulator_t<T> mean, accumulator_t<T> inv_std) {
  using Real = accumulator_t<T>;
  if (a.packs) {
    if (first >= a.length) return;
    Real weight[n], bias[n];
    a.weight.load(first, Real(1), weight);
    a.bias.load(first, Real(0), bias);
    Pack<T, n> pack;
    MINIDL_UNROLL
    for (int k = 0; k < n; ++k)
      pack[k] = static_cast<T>((x[k] - mean) * inv_std * weight[k] + bias[k]);
    store_pack(row + first, pack);
    return;
  }
  MINIDL_UNROLL
  for (int k = 0; k < n; ++k) {
    const std::int64_t i = first + k * step;
    if (i >= a.length) break;
    row[i] = static_cast<T>((x[k] - mean) * inv_std * a.weight.at(i, 1) + a.bias.at(i, 0));
  }
}

// Where a thread's group number n of P elements starts, and the step within it.
template <class T>
struct Groups {
  static constexpr int size = Pack<T>::size;
  int thread, threads;
  bool packs;
  template <class Index>
  __device__ __forceinline__ Index first(Index n) const {
    return packs ? (n * threads + thread) * size : n * size * threads + thread;
  }
};

// The sum of squares of the distances from `mean`, of the elements inside the row.
template <int n, class Real, class T>
__device__ __forceinline__ Real squares(const RowNormArrays<T>& a, std::int64_t first, int step,
                                        const Real (&x)[n], Real mean) {
  Real sum = 0;
  MINIDL_UNROLL
  for (int k = 0; k < n; ++k) {
    const Real distance = first + k * step < a.length ? x[k] - mean : Real(0);
    sum += distance * distance;
  }
  return sum;
}

template <class T>
__device__ __forceinline__ void store_statistics(const RowNormArrays<T>& a, std::int64_t row,
                                                 accumulator_t<T> mean, accumulator_t<T> inv_std) {
  if (threadIdx.x != 0) return;
  if (a.mean) a.mean[row] = mean;
  a.inv_std[row] = inv_std;
}

template <class T>
__global__ void __launch_bounds__(norm_threads, 1) norm_rows_held_kernel(RowNormArrays<T> a) {
  using Real = accumulator_t<T>;
  constexpr int n = Pack<T>::size, groups = norm_held<T> / n;
  const int threads = static_cast<int>(blockDim.x), thread = static_cast<int>(threadIdx.x);
  const std::int64_t row = blockIdx.x * static_cast<std::int64_t>(blockDim.y) + threadIdx.y;
  if (row >= a.rows) return;  // whole warps: only blocks of a warp a row have several rows
  const Groups<T> at = {thread, threads, a.packs};
  const int step = a.packs ? 1 : threads;
  Real* shared = dynamic_shared<Real>();
  const SumOp<Real> add;
  Real x[groups][n], sum = 0;
  MINIDL_UNROLL
  for (int i = 0; i < groups; ++i) load_row(a, a.x + row * a.length, at.first(i), step, x[i]);
  MINIDL_UNROLL
  for (int i = 0; i < groups; ++i) {
    MINIDL_UNROLL
    for (int k = 0; k < n; ++k) sum += x[i][k];
  }
  const Real count = static_cast<Real>(a.length);
  const Real mean = a.mean ? block_reduce_all(add, sum, shared, thread, threads) / count : Real(0);
  sum = 0;
  MINIDL_UNROLL
  for (int i = 0; i < groups; ++i) sum += squares(a, at.first(i), step, x[i], mean);
  const Real variance = block_reduce_all(add, sum, shared + warp_size, thread, threads) / count;
  const Real inv_std = 1 / std::sqrt(variance + a.eps);
  store_statistics(a, row, mean, inv_std);
  MINIDL_UNROLL
  for (int i = 0; i < groups; ++i)
    store_row(a, a.out + row * a.length, at.first(i), step, x[i], mean, inv_std);
}

template <class T>
__global__ void __launch_bounds__(norm_threads) norm_rows_streamed_kernel(RowNormArrays<T> a) {
  using Real = accumulator_t<T>;
  constexpr int n = Pack<T>::size;
  const int threads = static_cast<int>(blockDim.x), thread = static_cast<int>(threadIdx.x);
  const std::int64_t row = blockIdx.x;
  const T* input = a.x + row * a.length;
  const Groups<T> at = {thread, threads, a.packs};
  const int step = a.packs ? 1 : threads;
  const std::int64_t groups = (a.length + n * threads - 1) / (n * threads);
  Real* shared = dynamic_shared<Real>();
  const SumOp<Real> add;
  Real x[n], sum = 0;
  for (std::int64_t i = 0; a.mean && i < groups; ++i) {
    load_row(a, input, at.first(i), step, x);
    MINIDL_UNROLL
    for (int k = 0; k < n; ++k) sum += x[k];
  }
  const Real count = static_cast<Real>(a.length);
  const Real mean = a.mean ? block_reduce_all(add, sum, shared, thread, threads) / count : Real(0);
  sum = 0;
  for (std::int64_t i = 0; i < groups; ++i) {
    load_row(a, input, at.first(i), step, x);
    sum += squares(a, at.first(i), step, x, mean);
  }
  const Real variance = block_reduce_all(add, sum, shared + warp_size, thread, threads) / count;
  const Real inv_std = 1 / std::sqrt(variance + a.eps);
  store_statistics(a, row, mean, inv_std);
  for (std::int64_t i = 0; i < groups; ++i) {
    load_row(a, input, at.first(i), step, x);
    store_row(a, a.out + row * a.length, at.first(i), step, x, mean, inv_std);
  }
}

template <class T>
void start(const char* name, void (*kernel)(RowNormArrays<T>), const RowNormArrays<T>& arrays,
           const RowNormConfig& config, Stream stream) {
  launch(name, kernel,
         {.grid = {config.blocks},
          .block = {config.threads_per_row, config.rows_per_block},
          .shared_bytes = 2 * warp_size * sizeof(accumulator_t<T>)},
         stream, arrays);
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T>
void norm_rows_held(const RowNormArrays<T>& arrays, const RowNormConfig& config, Stream stream) {
  start("norm_rows_held", norm_rows_held_kernel<T>, arrays, config, stream);
}

template <class T>
void norm_rows_streamed(const RowNormArrays<T>& arrays, const RowNormConfig& config,
                        Stream stream) {
  start("norm_rows_streamed", norm_rows_streamed_kernel<T>, arrays, config, stream);
}

#define MINIDL_INSTANCE(T)                                                                \
  template void norm_rows_held<T>(const RowNormArrays<T>&, const RowNormConfig&, Stream); \
  template void norm_rows_streamed<T>(const RowNormArrays<T>&, const RowNormConfig&, Stream);
MINIDL_NORM_TYPES(MINIDL_INSTANCE)
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
