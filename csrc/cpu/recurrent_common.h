// What the three recurrent layers share: the product of all inputs with w_ih before the steps, and
// the gradients that follow from those of the pre-activations after them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "cpu/gemm.h"
#include "cpu/recurrent.h"
#include "cpu/thread_pool.h"
#include "cpu/vector_math.h"

namespace minidl::cpu::recurrent_detail {

// Rows that share one packed copy of w_hh in a step: fewer would pack more than they multiply.
inline constexpr int64_t kBatchGrain = 16;
inline constexpr int64_t kRowGrain = 96;
inline constexpr int64_t kColumnGrain = 128;

// out[rows, M] = x[rows, K] weight[M, K]^T + first + second, either bias null or [M].
template <typename T>
void linear(int64_t rows, int64_t M, int64_t K, const T* x, const T* weight, const T* first,
            const T* second, T* out) {
  const bool biased = first || second;
  for (int64_t i = 0; biased && i < rows; ++i) {
    for (int64_t j = 0; j < M; ++j) {
      out[i * M + j] = (first ? first[j] : T(0)) + (second ? second[j] : T(0));
    }
  }
  gemm<T>(false, true, rows, M, K, T(1), x, K, weight, K, biased ? T(1) : T(0), out, M);
}

template <typename T>
void parallel_linear(int64_t rows, int64_t M, int64_t K, const T* x, const T* weight,
                     const T* first, const T* second, T* out) {
  parallel_for(rows, kRowGrain, [&](int64_t begin, int64_t end) {
    linear(end - begin, M, K, x + begin * K, weight, first, second, out + begin * M);
  });
}

// out[rows, K] = g[rows, M] weight[M, K].
template <typename T>
void linear_input_grad(int64_t rows, int64_t M, int64_t K, const T* g, const T* weight, T* out) {
  parallel_for(rows, kRowGrain, [&](int64_t begin, int64_t end) {
    gemm<T>(false, false, end - begin, K, M, T(1), g + begin * M, M, weight, K, T(0),
            out + begin * K, K);
  });
}

// out[M, K] = g[rows, M]^T x[rows, K] + beta out.
template <typename T>
void linear_weight_grad(int64_t rows, int64_t M, int64_t K, const T* g, const T* x, T beta,
                        T* out) {
  parallel_for(M, kColumnGrain, [&](int64_t begin, int64_t end) {
    gemm<T>(true, false, end - begin, K, rows, T(1), g + begin, M, x, K, beta, out + begin * K, K);
  });
}

// out[M] = the sum of g[rows, M] over its rows, in double: T N terms are many for a float.
template <typename T>
void column_sums(int64_t rows, int64_t M, const T* g, T* out) {
  parallel_for(M, kColumnGrain, [&](int64_t begin, int64_t end) {
    std::vector<double> sums(static_cast<size_t>(end - begin), 0.0);
    for (int64_t i = 0; i < rows; ++i) {
      const T* row = g + i * M + begin;
      for (int64_t j = 0; j < end - begin; ++j) sums[static_cast<size_t>(j)] += row[j];
    }
    for (int64_t j = begin; j < end; ++j)
      out[j] = static_cast<T>(sums[static_cast<size_t>(j - begin)]);
  });
}

// Gradient of w_hh [M, P]: each step's dz [N, M] meets the state that the step started from. Those
// states are h0 and all of `output` but its last step, so that two products need no shifted copy.
template <typename T>
void hidden_weight_grad(const RecurrentShape& shape, int64_t M, const T* dz, const T* h0,
                        const T* output, T* out) {
  const int64_t later = (shape.steps - 1) * shape.batch;
  const int64_t dz_later = shape.reverse ? 0 : shape.batch;
  const int64_t output_before = shape.reverse ? shape.batch : 0;
  const T* dz_first = dz + shape.step(0) * shape.batch * M;
  linear_weight_grad(shape.batch, M, shape.state, dz_first, h0, T(0), out);
  linear_weight_grad(later, M, shape.state, dz + dz_later * M, output + output_before * shape.state,
                     T(1), out);
}

// Writes the wanted gradients of input, weights and biases. dz_input and dz_hidden [T, N, M] are
// the gradients of W_ih x + b_ih and of W_hh h + b_hh; the same array but for the GRU.
template <typename T>
void gather_gradients(const RecurrentShape& shape, int64_t M, const T* dz_input, const T* dz_hidden,
                      const T* input, const T* h0, const T* output, const T* w_ih,
                      const RecurrentGrads<T>& grads) {
  const int64_t rows = shape.steps * shape.batch;
  if (grads.input) linear_input_grad(rows, M, shape.input, dz_input, w_ih, grads.input);
  if (grads.w_ih) linear_weight_grad(rows, M, shape.input, dz_input, input, T(0), grads.w_ih);
  if (grads.w_hh) hidden_weight_grad(shape, M, dz_hidden, h0, output, grads.w_hh);
  if (grads.b_ih) column_sums(rows, M, dz_input, grads.b_ih);
  if (grads.b_hh) column_sums(rows, M, dz_hidden, grads.b_hh);
}

// state[count] = the gradient that arrives for the last state, or zero.
template <typename T>
void start(const T* upstream, int64_t count, T* state) {
  if (upstream) {
    std::copy_n(upstream, count, state);
  } else {
    std::fill_n(state, count, T(0));
  }
}

// state[count] += the gradient that arrives for a step's output, if any.
template <typename T>
void add_upstream(const T* upstream, int64_t offset, int64_t count, T* state) {
  if (!upstream) return;
  for (int64_t j = 0; j < count; ++j) state[j] += upstream[offset + j];
}

}  // namespace minidl::cpu::recurrent_detail
