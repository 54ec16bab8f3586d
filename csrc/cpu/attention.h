// Scaled dot-product attention on the CPU, float and double, without an array of the scores:
// out = softmax(scale Q K^T + bias) V a head, and its gradients, by blocks of queries and of keys.
//
// Sources: A. Vaswani et al., "Attention is all you need", 2017; T. Dao, "FlashAttention-2", 2023,
// for the running maximum and sum of a row and for gradients from its logarithm alone.
#pragma once

#include <array>
#include <cstdint>

#include "common/array_view.h"
#include "cpu/gemm.h"

namespace minidl::cpu {

// A matrix of every head; `lead` is the distance from one to the next along each leading axis.
template <typename T>
struct Heads {
  T* data = nullptr;  // null: there is none
  int64_t row = 0, col = 0;
  std::array<int64_t, kMaxRank> lead = {};
};

// Q[L, E], K[S, E], V[S, V] and bias[L, S] (null: none; 0 strides where it broadcasts) of any
// strides. `causal`: query i looks at keys 0 .. i. Leading axes are those of all arrays.
template <typename T>
struct AttentionProblem {
  int64_t queries, keys, width, value_width;  // L, S, E, V
  bool causal;
  T scale;
  int rank = 0;
  std::array<int64_t, kMaxRank> lead = {};
  Heads<const T> query = {}, key = {}, value = {}, bias = {};
};

// out[L, V], whose rows have no gaps, and lse[L], the logarithm of the sum of each row's
// exponentials: -infinity for a query that looks nowhere, whose output is 0. `lse` has no gaps at
// all.
template <typename T>
struct AttentionResult {
  Heads<T> out;
  T* lse;
};

// What the gradients need beside the problem: that of the output, and the forward's results.
template <typename T>
struct AttentionSaved {
  Heads<const T> grad, out;
  const T* lse;
};

// Gradients of query, key and value, whose rows have no gaps; null: not wanted.
template <typename T>
struct AttentionGrads {
  Heads<T> query, key, value;
};

// The same bits for any number of threads.
template <typename T>
void attention(const AttentionProblem<T>& problem, const AttentionResult<T>& result);
template <typename T>
void attention_backward(const AttentionProblem<T>& problem, const AttentionSaved<T>& saved,
                        const AttentionGrads<T>& grads);

// ------------------------------------------------------------------------------------------------
// One head, on the calling thread
// ------------------------------------------------------------------------------------------------

template <typename T>
struct AttentionHead {
  int64_t queries, keys, width, value_width;
  bool causal;
  T scale;
  Matrix<T> query, key, value, bias;
};

// Rows that lie `row` elements apart; null: not wanted.
template <typename T>
struct RowsOut {
  T* data;
  int64_t row;
};

struct Stretch {
  int64_t begin, end;  // begin: a multiple of the block
};

template <typename T>
struct AttentionKernels {
  // Some of the queries.
  void (*forward)(const AttentionHead<T>& head, Stretch queries, const RowsOut<T>& out, T* lse);
  // The gradients of some of the keys and values, from all queries, and of some of the queries,
  // from all keys: at least one of the stretches is the whole head, and a gradient of the other's
  // lines is null where the first is not.
  void (*backward)(const AttentionHead<T>& head, Stretch queries, Stretch keys,
                   const Matrix<T>& grad, const Matrix<T>& out, const T* lse,
                   const RowsOut<T>& dquery, const RowsOut<T>& dkey, const RowsOut<T>& dvalue);
};
MINIDL_KERNEL_TABLES(AttentionKernels, attention_kernels)

}  // namespace minidl::cpu
