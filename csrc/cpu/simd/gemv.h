// A row vector times a matrix, y[N] = x[K] B[K, N]: every element of B serves once, so that its
// bandwidth is the time. B is read where it is, in long runs.
#pragma once

#include "cpu/simd/gemm_blocks.h"

namespace minidl::cpu::MINIDL_ISA {

template <typename T>
struct VectorProduct {
  int64_t K, N;
  const T* x;  // elements x_step apart
  int64_t x_step;
  Matrix<T> b;  // row or col is 1
  T* y;         // [N] without gaps
  Epilogue<T> epilogue;

  VectorProduct columns(int64_t begin, int64_t end) const {
    VectorProduct part = *this;
    part.N = end - begin;
    part.b.data += begin * b.col;
    part.y += begin;
    if (epilogue.bias != nullptr) part.epilogue.bias += begin;
    return part;
  }
};

// y[N] += the sum of kRows rows of B, each times its x.
template <int kRows, typename T>
MINIDL_INLINE void add_rows(int64_t N, const T* x, int64_t x_step, const T* b, int64_t row, T* y) {
  constexpr int64_t L = kLanes<T>;
  Vec<T> factor[kRows];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) factor[r] = splat(x[r * x_step]);
  const auto sum = [&](const auto& at) {
    Vec<T> s = factor[0] * at(b);
#pragma GCC unroll 8
    for (int r = 1; r < kRows; ++r) s += factor[r] * at(b + r * row);
    return s;
  };
  int64_t j = 0;
  for (; j + L <= N; j += L) {
    store(y + j, load(y + j) + sum([j](const T* line) { return load(line + j); }));
  }
  if (const int64_t n = N - j; n > 0) {
    const Vec<T> s = sum([j, n](const T* line) { return load_n(line + j, n); });
    store_n(y + j, n, load_n(y + j, n) + s);
  }
}

// Rows of B lie along memory: y, a piece that stays in the first cache, collects eight at a time.
template <typename T>
void multiply_along_rows(const VectorProduct<T>& p) {
  constexpr int64_t kPiece = 2048, kTogether = 8;
  for (int64_t j = 0; j < p.N; j += kPiece) {
    const int64_t n = smaller(kPiece, p.N - j);
    T* y = p.y + j;
    for (int64_t i = 0; i < n && !p.epilogue.accumulate; ++i) y[i] = T(0);
    const T *x = p.x, *b = p.b.data + j;
    int64_t left = p.K;
    for (; left >= kTogether; left -= kTogether) {
      add_rows<kTogether>(n, x, p.x_step, b, p.b.row, y);
      x += kTogether * p.x_step;
      b += kTogether * p.b.row;
    }
    for (; left > 0; --left, x += p.x_step, b += p.b.row)
      add_rows<1>(n, x, p.x_step, b, p.b.row, y);
  }
}

// kColumns columns of B, which lie along memory, each times x.
template <int kColumns, typename T>
void dot_columns(int64_t K, const T* x, const T* b, int64_t col, bool accumulate, T* y) {
  constexpr int64_t L = kLanes<T>;
  Vec<T> even[kColumns] = {}, odd[kColumns] = {};
  int64_t k = 0;
  for (; k + 2 * L <= K; k += 2 * L) {
    const Vec<T> x0 = load(x + k), x1 = load(x + k + L);
#pragma GCC unroll 4
    for (int c = 0; c < kColumns; ++c) {
      even[c] += x0 * load(b + c * col + k);
      odd[c] += x1 * load(b + c * col + k + L);
    }
  }
  for (; k < K; k += L) {
    const int64_t n = smaller(L, K - k);
    const Vec<T> tail = load_n(x + k, n);
#pragma GCC unroll 4
    for (int c = 0; c < kColumns; ++c) even[c] += tail * load_n(b + c * col + k, n);
  }
#pragma GCC unroll 4
  for (int c = 0; c < kColumns; ++c) {
    y[c] = (accumulate ? y[c] : T(0)) + sum_lanes<T>(even[c] + odd[c]);
  }
}

template <typename T>
void multiply_along_columns(const VectorProduct<T>& p) {
  const T* x = p.x;
  if (p.x_step != 1) {
    const int64_t bytes = p.K * static_cast<int64_t>(sizeof(T));
    T* copy = static_cast<T*>(thread_scratch(Slot::gemm_a, bytes));
    for (int64_t k = 0; k < p.K; ++k) copy[k] = p.x[k * p.x_step];
    x = copy;
  }
  constexpr int64_t kTogether = 4;
  const bool adds = p.epilogue.accumulate;
  int64_t j = 0;
  for (; j + kTogether <= p.N; j += kTogether) {
    dot_columns<kTogether>(p.K, x, p.b.data + j * p.b.col, p.b.col, adds, p.y + j);
  }
  for (; j < p.N; ++j) dot_columns<1>(p.K, x, p.b.data + j * p.b.col, p.b.col, adds, p.y + j);
}

template <typename T>
void multiply_vector(const VectorProduct<T>& p) {
  p.b.col == 1 ? multiply_along_rows(p) : multiply_along_columns(p);
  const Epilogue<T>& e = p.epilogue;
  if (e.bias != nullptr || e.row_bias != nullptr || e.activation != FusedActivation::none) {
    finish_tile(1, p.N, p.y, p.N, e.bias, e.row_bias, e.activation);
  }
}

// Whether a product is one of a vector and a matrix that lies along memory; `p` is it then. A
// matrix times a column is the product of the transposed.
template <typename T>
bool as_vector_product(const GemmShape& shape, const Matrix<T>& a, const Matrix<T>& b,
                       const GemmResult<T>& result, VectorProduct<T>& p) {
  const auto [M, N, K] = shape;
  if (M == 1 && (b.row == 1 || b.col == 1)) {
    p = {K, N, a.data, a.col, b, result.c, result.epilogue};
    return true;
  }
  if (N == 1 && result.ldc == 1 && (a.row == 1 || a.col == 1)) {
    p = {K, M, b.data, b.row, a.transposed(), result.c, result.epilogue};
    p.epilogue.bias = result.epilogue.row_bias;
    p.epilogue.row_bias = result.epilogue.bias;
    return true;
  }
  return false;
}

// C = A B on the calling thread.
template <typename T>
void multiply(const GemmShape& shape, const Matrix<T>& a, const Matrix<T>& b,
              const GemmResult<T>& result) {
  if (shape.M <= 0 || shape.N <= 0) return;
  if (VectorProduct<T> p; as_vector_product(shape, a, b, result, p)) return multiply_vector(p);
  multiply_columns<T>(0, shape.M, 0, shape.N, shape.K, rows_of(a, shape), columns_of(b, shape),
                      result);
}

}  // namespace minidl::cpu::MINIDL_ISA
