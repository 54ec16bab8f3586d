// General matrix product C = alpha op(A) op(B) + beta C on one thread, float and double.
//
// The scheme is the one of Goto and van de Geijn, "Anatomy of high-performance matrix
// multiplication" (2008): blocks of A and B are packed into panels that the micro kernel reads
// front to back, B's panel stays in the first cache level and A's block in the second. Packing is
// also where a transposed operand costs nothing extra.
//
// The micro kernel is compiled for several instruction sets and chosen at run time. None of them
// fuses a multiplication with an addition, so the bits are the same with each.
//
// Deterministic: an element's sum runs over K in one fixed order that depends on nothing but K.
// Callers that want several threads split M or N (or images) between them; that changes no bit of
// the result.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu/scratch.h"

namespace minidl::cpu {

namespace gemm_detail {

// 6 x 2 accumulators, two vectors of B and one broadcast of A fill 15 of the 16 vector registers.
template <typename T, int64_t bytes>
struct Tile {
  static constexpr int64_t kRows = 6;
  static constexpr int64_t kCols = 2 * bytes / static_cast<int64_t>(sizeof(T));
  static constexpr int64_t kBlockM = 96;  // a block of A: 96 x 256 elements, 96 KiB of float
  static constexpr int64_t kBlockK = 256;
  static constexpr int64_t kBlockN = 1024;
  static_assert(kBlockM % kRows == 0 && kBlockN % kCols == 0, "blocks hold whole panels");
};

// A matrix as the packing routines see it: element (i, j) is data[i * row + j * col].
template <typename T>
struct Strided {
  const T* data;
  int64_t row, col;
  const T& operator()(int64_t i, int64_t j) const { return data[i * row + j * col]; }
  Strided from(int64_t i, int64_t j) const { return {data + i * row + j * col, row, col}; }
};

// Packs width x depth (rows of A or columns of B) into panels of `panel` lines: out[p][k][line],
// padded with zeros.
template <int64_t panel, typename T>
void pack(const Strided<T>& lines, int64_t width, int64_t depth, T* out) {
  for (int64_t first = 0; first < width; first += panel) {
    const int64_t filled = std::min(panel, width - first);
    const Strided<T> from = lines.from(first, 0);
    if (filled == panel && from.row == 1) {
      for (int64_t k = 0; k < depth; ++k, out += panel) {
        std::copy_n(from.data + k * from.col, panel, out);
      }
      continue;
    }
    for (int64_t k = 0; k < depth; ++k, out += panel) {
      for (int64_t line = 0; line < filled; ++line) out[line] = from(line, k);
      for (int64_t line = filled; line < panel; ++line) out[line] = T(0);
    }
  }
}

#define MINIDL_KERNEL micro_kernel_16
#define MINIDL_BYTES 16
#define MINIDL_TARGET
#include "cpu/gemm_micro_kernel.inc"
#if defined(__x86_64__)
#define MINIDL_KERNEL micro_kernel_32
#define MINIDL_BYTES 32
#define MINIDL_TARGET __attribute__((target("avx2")))
#include "cpu/gemm_micro_kernel.inc"
#define MINIDL_KERNEL micro_kernel_64
#define MINIDL_BYTES 64
#define MINIDL_TARGET __attribute__((target("avx512f")))
#include "cpu/gemm_micro_kernel.inc"
#endif

template <typename T, int64_t bytes>
void micro_kernel(int64_t depth, const T* a, const T* b, T* tile) {
#if defined(__x86_64__)
  if constexpr (bytes == 64) return micro_kernel_64(depth, a, b, tile);
  if constexpr (bytes == 32) return micro_kernel_32(depth, a, b, tile);
#endif
  if constexpr (bytes == 16) return micro_kernel_16(depth, a, b, tile);
}

// The widest vectors of this machine, in bytes.
inline int64_t vector_bytes() {
#if defined(__x86_64__)
  static const int64_t widest = __builtin_cpu_supports("avx512f") ? 64
                                : __builtin_cpu_supports("avx2")  ? 32
                                                                  : 16;
  return widest;
#else
  return 16;
#endif
}

// C[rows, cols] = alpha tile + beta C. With beta = 0 C is not read: it may hold NaN.
template <typename Shape, typename T>
void store_tile(const T* tile, int64_t rows, int64_t cols, T alpha, T beta, T* c, int64_t ldc) {
  for (int64_t i = 0; i < rows; ++i) {
    const T* from = tile + i * Shape::kCols;
    T* to = c + i * ldc;
    if (beta == T(0)) {
      for (int64_t j = 0; j < cols; ++j) to[j] = alpha * from[j];
    } else {
      for (int64_t j = 0; j < cols; ++j) to[j] = alpha * from[j] + beta * to[j];
    }
  }
}

// One block: C[rows, cols] = alpha (packed A) (packed B) + beta C.
template <typename T, int64_t bytes>
void multiply_block(int64_t rows, int64_t cols, int64_t depth, T alpha, const T* a, const T* b,
                    T beta, T* c, int64_t ldc) {
  using Shape = Tile<T, bytes>;
  alignas(64) T tile[Shape::kRows * Shape::kCols];
  for (int64_t j = 0; j < cols; j += Shape::kCols) {
    for (int64_t i = 0; i < rows; i += Shape::kRows) {
      micro_kernel<T, bytes>(depth, a + i * depth, b + j * depth, tile);
      store_tile<Shape>(tile, std::min(Shape::kRows, rows - i), std::min(Shape::kCols, cols - j),
                        alpha, beta, c + i * ldc + j, ldc);
    }
  }
}

template <typename T>
void scale(int64_t M, int64_t N, T beta, T* C, int64_t ldc) {
  for (int64_t i = 0; i < M; ++i) {
    for (int64_t j = 0; j < N; ++j) C[i * ldc + j] = beta == T(0) ? T(0) : beta * C[i * ldc + j];
  }
}

// gemm for at least one element and one product, with vectors of `bytes`.
template <typename T, int64_t bytes>
void gemm_with(bool transA, bool transB, int64_t M, int64_t N, int64_t K, T alpha, const T* A,
               int64_t lda, const T* B, int64_t ldb, T beta, T* C, int64_t ldc) {
  using Shape = Tile<T, bytes>;
  const Strided<T> a{A, transA ? 1 : lda, transA ? lda : 1};
  const Strided<T> b{B, transB ? ldb : 1,
                     transB ? 1 : ldb};  // b(j, k): a line is a column of op(B)
  thread_local Scratch<T> a_panels, b_panels;
  const auto padded = [](int64_t n, int64_t panel) { return (n + panel - 1) / panel * panel; };
  const int64_t deepest = std::min(K, Shape::kBlockK);
  T* a_packed = a_panels.reserve(padded(std::min(M, Shape::kBlockM), Shape::kRows) * deepest);
  T* b_packed = b_panels.reserve(padded(std::min(N, Shape::kBlockN), Shape::kCols) * deepest);
  for (int64_t j = 0; j < N; j += Shape::kBlockN) {
    const int64_t cols = std::min(Shape::kBlockN, N - j);
    for (int64_t k = 0; k < K; k += Shape::kBlockK) {
      const int64_t depth = std::min(Shape::kBlockK, K - k);
      pack<Shape::kCols>(b.from(j, k), cols, depth, b_packed);
      for (int64_t i = 0; i < M; i += Shape::kBlockM) {
        const int64_t rows = std::min(Shape::kBlockM, M - i);
        pack<Shape::kRows>(a.from(i, k), rows, depth, a_packed);
        multiply_block<T, bytes>(rows, cols, depth, alpha, a_packed, b_packed, k == 0 ? beta : T(1),
                                 C + i * ldc + j, ldc);
      }
    }
  }
}

}  // namespace gemm_detail

// C[M, N] = alpha op(A)[M, K] op(B)[K, N] + beta C, all row-major; op transposes where its flag is
// set.
//
// A is stored [M, K] (transposed: [K, M]) with lda >= its columns elements from row to row; B is
// stored [K, N] (transposed: [N, K]) with ldb; C with ldc. C overlaps neither A nor B. With beta =
// 0 C is written without being read. NaN and infinity propagate as in the plain triple loop.
template <typename T>
void gemm(bool transA, bool transB, int64_t M, int64_t N, int64_t K, T alpha, const T* A,
          int64_t lda, const T* B, int64_t ldb, T beta, T* C, int64_t ldc) {
  using namespace gemm_detail;
  if (M <= 0 || N <= 0) return;
  if (K <= 0) return scale(M, N, beta, C, ldc);
  const int64_t widest = vector_bytes();
  const auto run = widest == 64   ? gemm_with<T, 64>
                   : widest == 32 ? gemm_with<T, 32>
                                  : gemm_with<T, 16>;
  run(transA, transB, M, N, K, alpha, A, lda, B, ldb, beta, C, ldc);
}

}  // namespace minidl::cpu
