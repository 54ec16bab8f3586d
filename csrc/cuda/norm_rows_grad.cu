// The backward pass of layer and RMS norm. A worker, a warp or a block, takes row after row: dx of
// each, and, in registers, sums over its rows for dweight and dbias, which norm_columns_sum ends.
#include "cuda/block_reduce.h"
#include "cuda/launch.h"
#include "cuda/norm_rows_kernels.h"
#include "cuda/ptx/shared.h"
#include "cuda/two_sums.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// Threads a row and workers: norm_rows_select.h.

// ---- Kernel -----------------------------------------------------------------------------------

// n elements of a row: x_hat, g, and their weights; 0 from `length` on.
template <int n, class Real>
struct Piece {
  Real x_hat[n], g[n], weight[n];
};

template <int n, class T>
__device__ __forceinline__ void load_piece(const RowNormArrays<T>& a, std::int64_t row,
                                           std::int64_t first, int step, accumulator_t<T> mean,
                                           accumulator_t<T> inv_std,
                                           Piece<n, accumulator_t<T>>& to) {
  using Real = accumulator_t<T>;
  const T *x = a.x + row * a.length, *g = a.g + row * a.length;
  Pack<T, n> x_pack = {}, g_pack = {};
  MINIDL_UNROLL
  for (int k = 0; k < n; ++k) to.weight[k] = 0;
  if (a.packs && first < a.length) {
    x_pack = load_pack<Pack<T, n>>(x + first);
    g_pack = load_pack<Pack<T, n>>(g + first);
    a.weight.load(first, Real(1), to.weight);
  }
  MINIDL_UNROLL
  for (int k = 0; k < n; ++k) {
    const std::int64_t i = first + k * step;
    if (!a.packs && i < a.length) {
      x_pack[k] = x[i];
      g_pack[k] = g[i];
      to.weight[k] = a.weight.at(i, 1);
    }
    to.x_hat[k] = i < a.length ? (static_cast<Real>(x_pack[k]) - mean) * inv_std : Real(0);
    to.g[k] = i < a.length ? static_cast<Real>(g_pack[k]) : Real(0);
  }
}

template <int n, class Real>
__device__ __forceinline__ TwoSums<Real> sums_of(const Piece<n, Real>& piece) {
  TwoSums<Real> sums = {0, 0};
  MINIDL_UNROLL
  for (int k = 0; k < n; ++k) {
    const Real g_hat = piece.g[k] * piece.weight[k];
    sums.first += g_hat;
    sums.second += g_hat * piece.x_hat[k];
  }
  return sums;
}

// `means` of g_hat and of g_hat x_hat.
template <int n, class T>
__device__ __forceinline__ void store_piece(const RowNormArrays<T>& a, std::int64_t row,
                                            std::int64_t first, int step,
                                            const Piece<n, accumulator_t<T>>& piece,
                                            const TwoSums<accumulator_t<T>>& means,
                                            accumulator_t<T> inv_std) {
  T* dx = a.out + row * a.length;
  Pack<T, n> pack;
  MINIDL_UNROLL
  for (int k = 0; k < n; ++k) {
    pack[k] = static_cast<T>(
        (piece.g[k] * piece.weight[k] - means.first - piece.x_hat[k] * means.second) * inv_std);
  }
  if (a.packs) {
    if (first < a.length) store_pack(dx + first, pack);
    return;
  }
  MINIDL_UNROLL
  for (int k = 0; k < n; ++k) {
    if (first + k * step < a.length) dx[first + k * step] = pack[k];
  }
}

template <class T>
__device__ __forceinline__ TwoSums<accumulator_t<T>> to_means(
    const RowNormArrays<T>& a, const TwoSums<accumulator_t<T>>& sums) {
  const auto count = static_cast<accumulator_t<T>>(a.length);
  return {a.mean ? sums.first / count : 0, sums.second / count};
}

template <class T>
__global__ void __launch_bounds__(norm_threads) norm_rows_grad_held_kernel(RowNormArrays<T> a) {
  using Real = accumulator_t<T>;
  constexpr int n = Pack<T>::size, groups = norm_grad_held<T> / n;
  const int threads = static_cast<int>(blockDim.x), thread = static_cast<int>(threadIdx.x);
  const std::int64_t worker = blockIdx.x * static_cast<std::int64_t>(blockDim.y) + threadIdx.y;
  const std::int64_t workers = gridDim.x * static_cast<std::int64_t>(blockDim.y);
  const int step = a.packs ? 1 : threads;
  const auto first = [&](int i) -> std::int64_t {
    return a.packs ? (i * threads + thread) * n : i * n * threads + thread;
  };
  TwoSums<Real>* shared = dynamic_shared<TwoSums<Real>>();  // two rows' worth, used in turns
  Real dweight[groups][n] = {}, dbias[groups][n] = {};
  int turn = 0;
  for (std::int64_t row = worker; row < a.rows; row += workers, turn ^= 1) {
    const Real inv_std = a.inv_std[row], mean = a.mean ? a.mean[row] : Real(0);
    Piece<n, Real> piece[groups];
    TwoSums<Real> sums = {0, 0};
    MINIDL_UNROLL
    for (int i = 0; i < groups; ++i) load_piece(a, row, first(i), step, mean, inv_std, piece[i]);
    MINIDL_UNROLL
    for (int i = 0; i < groups; ++i) {
      sums = TwoSumsOp<Real>{}.combine(sums, sums_of(piece[i]));
      MINIDL_UNROLL
      for (int k = 0; k < n; ++k) {
        dweight[i][k] += piece[i].g[k] * piece[i].x_hat[k];
        dbias[i][k] += piece[i].g[k];
      }
    }
    if (a.out == nullptr) continue;
    sums = block_reduce_all(TwoSumsOp<Real>{}, sums, shared + turn * warp_size, thread, threads);
    const TwoSums<Real> means = to_means(a, sums);
    MINIDL_UNROLL
    for (int i = 0; i < groups; ++i) store_piece(a, row, first(i), step, piece[i], means, inv_std);
  }
  if (a.partial == nullptr) return;
  Real* partial = a.partial + worker * 2 * a.length;
  MINIDL_UNROLL
  for (int i = 0; i < groups; ++i) {
    MINIDL_UNROLL
    for (int k = 0; k < n; ++k) {
      const std::int64_t column = first(i) + k * step;
      if (column >= a.length) break;
      partial[column] = dweight[i][k];
      partial[a.length + column] = dbias[i][k];
    }
  }
}

template <class T>
__global__ void __launch_bounds__(norm_threads) norm_rows_grad_streamed_kernel(RowNormArrays<T> a) {
  using Real = accumulator_t<T>;
  constexpr int n = Pack<T>::size;
  const int threads = static_cast<int>(blockDim.x), thread = static_cast<int>(threadIdx.x);
  const std::int64_t row = blockIdx.x, groups = (a.length + n * threads - 1) / (n * threads);
  const int step = a.packs ? 1 : threads;
  const auto first = [&](std::int64_t i) {
    return a.packs ? (i * threads + thread) * n : i * n * threads + thread;
  };
  const Real inv_std = a.inv_std[row], mean = a.mean ? a.mean[row] : Real(0);
  Piece<n, Real> piece;
  TwoSums<Real> sums = {0, 0};
  for (std::int64_t i = 0; i < groups; ++i) {
    load_piece(a, row, first(i), step, mean, inv_std, piece);
    sums = TwoSumsOp<Real>{}.combine(sums, sums_of(piece));
  }
  sums =
      block_reduce_all(TwoSumsOp<Real>{}, sums, dynamic_shared<TwoSums<Real>>(), thread, threads);
  const TwoSums<Real> means = to_means(a, sums);
  for (std::int64_t i = 0; i < groups; ++i) {
    load_piece(a, row, first(i), step, mean, inv_std, piece);
    store_piece(a, row, first(i), step, piece, means, inv_std);
  }
}

template <class T>
void start(const char* name, void (*kernel)(RowNormArrays<T>), const RowNormArrays<T>& arrays,
           const RowNormConfig& config, Stream stream) {
  launch(name, kernel,
         {.grid = {config.blocks},
          .block = {config.threads_per_row, config.rows_per_block},
          .shared_bytes = 2 * warp_size * sizeof(TwoSums<accumulator_t<T>>)},
         stream, arrays);
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T>
void norm_rows_grad_held(const RowNormArrays<T>& arrays, const RowNormConfig& config,
                         Stream stream) {
  start("norm_rows_grad_held", norm_rows_grad_held_kernel<T>, arrays, config, stream);
}

template <class T>
void norm_rows_grad_streamed(const RowNormArrays<T>& arrays, const RowNormConfig& config,
                             Stream stream) {
  start("norm_rows_grad_streamed", norm_rows_grad_streamed_kernel<T>, arrays, config, stream);
}

#define MINIDL_INSTANCE(T)                                                                     \
  template void norm_rows_grad_held<T>(const RowNormArrays<T>&, const RowNormConfig&, Stream); \
  template void norm_rows_grad_streamed<T>(const RowNormArrays<T>&, const RowNormConfig&, Stream);
MINIDL_NORM_TYPES(MINIDL_INSTANCE)
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
