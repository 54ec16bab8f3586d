// Products of small matrices on the CPU, float and double: up to a few thousand multiplications,
// where the way to the BLAS costs more than the product. Larger ones belong to the BLAS.
#pragma once

#include <array>
#include <cstdint>

namespace minidl::cpu {

inline constexpr int64_t kSmallExtent = 32;  // of every dimension of a product

// Multiplications up to which this is faster than np.matmul; narrow results fill no vectors.
inline int64_t small_work(int64_t n) { return n < 8 ? 1024 : 4096; }

inline bool is_small_product(int64_t m, int64_t n, int64_t k) {
  if (m > kSmallExtent || n > kSmallExtent || k > kSmallExtent) return false;
  return m * n * k <= small_work(n);
}

// out[M, N] = a[M, K] b[K, N] + bias[N]. Strides count elements; out has no gaps, bias may be null.
template <class T>
void small_matmul(int64_t m, int64_t n, int64_t k, const T* a, int64_t a_row, int64_t a_col,
                  const T* b, int64_t b_row, int64_t b_col, const T* bias, T* out) {
  std::array<T, kSmallExtent * kSmallExtent> packed;
  if (b_col != 1 && n > 1) {  // rows of b side by side, so that the loop over j vectorises
    for (int64_t l = 0; l < k; ++l) {
      for (int64_t j = 0; j < n; ++j) packed[l * n + j] = b[l * b_row + j * b_col];
    }
    b = packed.data();
    b_row = n;
  }
  for (int64_t i = 0; i < m; ++i) {
    std::array<T, kSmallExtent> row;
    for (int64_t j = 0; j < n; ++j) row[j] = bias == nullptr ? T(0) : bias[j];
    for (int64_t l = 0; l < k; ++l) {
      const T factor = a[i * a_row + l * a_col];
      for (int64_t j = 0; j < n; ++j) row[j] += factor * b[l * b_row + j];
    }
    for (int64_t j = 0; j < n; ++j) out[i * n + j] = row[j];
  }
}

}  // namespace minidl::cpu
