// Matrix products C[M, N] = f(A[M, K] B[K, N] + bias), float and double.
//
// The scheme is the one of Goto and van de Geijn, "Anatomy of high-performance matrix
// multiplication" (2008): blocks of A and B are packed into panels that the micro-kernel reads
// front to back; one operand's block stays in the second cache, a panel of the other in the first.
// Operands have any strides (transposed, zero, negative): packing is where they cost nothing extra,
// and small operands are read where they are.
//
// Deterministic: an element's sum runs over K in stretches of fixed length, in one order that
// depends on nothing but K, for any number of threads and any cut of M and N. Products with a
// vector (M or N is 1) have an order of their own, which depends on the strides too. NaN and
// infinity propagate as in the plain triple loop. C overlaps neither A nor B.
//
// Code of cpu/simd uses cpu/simd/gemm_blocks.h itself: with operands of its own that pack
// themselves (convolution) or a weight packed once (recurrent cells).
#pragma once

#include <cstdint>

#include "common/checks.h"
#include "cpu/isa.h"
#include "cpu/scratch.h"

namespace minidl::cpu {

// Element (i, j) is data[i * row + j * col].
template <typename T>
struct Matrix {
  const T* data;
  int64_t row, col;
  Matrix transposed() const { return {data, col, row}; }
};

enum class FusedActivation { none, relu, sigmoid, tanh, silu, gelu };

// C = activation(A B [+ C] [+ bias[j]] [+ row_bias[i]])
template <typename T>
struct Epilogue {
  bool accumulate = false;      // add to what C holds; otherwise C is not read and may hold NaN
  const T* bias = nullptr;      // [N] or null
  const T* row_bias = nullptr;  // [M] or null
  FusedActivation activation = FusedActivation::none;
};

struct GemmShape {
  int64_t M, N, K;
};

// C[M, N], rows ldc >= N elements apart.
template <typename T>
struct GemmResult {
  T* c;
  int64_t ldc;
  Epilogue<T> epilogue = {};
};

template <typename T>
struct GemmKernels {
  int64_t tile_rows, tile_cols;  // of the micro-kernel

  // On the calling thread alone.
  void (*multiply)(const GemmShape& shape, const Matrix<T>& a, const Matrix<T>& b,
                   const GemmResult<T>& result);

  // On all threads where there is enough to do; the same bits.
  void (*multiply_parallel)(const GemmShape& shape, const Matrix<T>& a, const Matrix<T>& b,
                            const GemmResult<T>& result);

  // B packed once: elements that the packed form takes, the packing, the product. The same bits,
  // unless M or N is 1. Element (k, j) is at packed_place(K, N, k, j); tile_cols columns, from a
  // multiple of it on, lie side by side.
  int64_t (*packed_size)(int64_t K, int64_t N);
  int64_t (*packed_place)(int64_t K, int64_t N, int64_t k, int64_t j);
  void (*pack)(int64_t K, int64_t N, const Matrix<T>& b, T* packed);
  void (*multiply_packed)(const GemmShape& shape, const Matrix<T>& a, const T* packed,
                          const GemmResult<T>& result);
};
MINIDL_KERNEL_TABLES(GemmKernels, gemm_kernels)

// A matrix B[K, N] packed once, for many products A B: weights.
template <typename T>
class PackedMatrix {
 public:
  PackedMatrix(int64_t K, int64_t N, const Matrix<T>& b) : K_(K), N_(N) {
    data_ = memory_.reserve(gemm_kernels<T>().packed_size(K, N));
    gemm_kernels<T>().pack(K, N, b, data_);
  }

  // result[M, N] = A[M, K] B, on the calling thread.
  void multiply(int64_t M, const Matrix<T>& a, const GemmResult<T>& result) const {
    gemm_kernels<T>().multiply_packed({M, N_, K_}, a, data_, result);
  }

  const T* data() const { return data_; }

 private:
  int64_t K_, N_;
  Scratch<T> memory_;
  T* data_;
};

// C = op(A) op(B) + beta C with alpha 1 and beta 0 or 1, on the calling thread; op transposes where
// its flag is set. A is stored [M, K] (transposed: [K, M]) with lda elements from row to row; B
// is stored [K, N] (transposed: [N, K]) with ldb; C with ldc.
template <typename T>
void gemm(bool transA, bool transB, int64_t M, int64_t N, int64_t K, T alpha, const T* A,
          int64_t lda, const T* B, int64_t ldb, T beta, T* C, int64_t ldc) {
  MINIDL_CHECK(alpha == T(1) && (beta == T(0) || beta == T(1)), "gemm: alpha ", alpha, ", beta ",
               beta);
  const Matrix<T> a{A, lda, 1}, b{B, ldb, 1};
  gemm_kernels<T>().multiply({M, N, K}, transA ? a.transposed() : a, transB ? b.transposed() : b,
                             {C, ldc, {.accumulate = beta == T(1)}});
}

}  // namespace minidl::cpu
