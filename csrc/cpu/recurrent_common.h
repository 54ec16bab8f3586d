// What the three recurrent layers share: the product of all inputs with w_ih before the steps, and
// the gradients that follow from those of the pre-activations after them.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu/gemm.h"
#include "cpu/recurrent.h"
#include "cpu/recurrent_steps.h"
#include "cpu/recycler.h"

namespace minidl::cpu::recurrent_detail {

// Working memory of one call.
template <typename T>
class Memory {
 public:
  explicit Memory(int64_t count)
      : bytes_(static_cast<size_t>(std::max<int64_t>(count, 1)) * sizeof(T)),
        data_(static_cast<T*>(take_block(bytes_))) {
    if (data_ == nullptr) throw std::bad_alloc();
  }
  ~Memory() { give_block(data_, bytes_); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  T* data() const { return data_; }

 private:
  size_t bytes_;
  T* data_;
};

// A matrix [rows, cols] whose rows lie `row` elements apart.
template <typename T>
Matrix<T> rows_of(const T* data, int64_t row) {
  return {data, row, 1};
}

// bias[count] = first + second, either of them null or [count].
template <typename T>
void add_biases(int64_t count, const T* first, const T* second, T* bias) {
  for (int64_t j = 0; j < count; ++j) {
    bias[j] = (first ? first[j] : T(0)) + (second ? second[j] : T(0));
  }
}

// gates[T N, M] = input w_ih^T + bias.
template <typename T>
void multiply_inputs(const RecurrentShape& shape, int64_t M, const T* input, const T* w_ih,
                     const T* bias, T* gates) {
  gemm_kernels<T>().multiply_parallel(
      {shape.steps * shape.batch, M, shape.input}, rows_of(input, shape.input),
      rows_of(w_ih, shape.input).transposed(), {gates, M, {.bias = bias}});
}

// The gradient of the products of all steps with some rows [M, K] of a weight: dz [rows, M], rows
// `dz_row` apart.
template <typename T>
struct ProductGrad {
  int64_t rows, M;
  const T* dz;
  int64_t dz_row;

  // dx[rows, K] = dz weight [+ dx]
  void input(int64_t K, const T* weight, bool accumulate, T* dx) const {
    gemm_kernels<T>().multiply_parallel({rows, K, M}, rows_of(dz, dz_row), rows_of(weight, K),
                                        {dx, K, {.accumulate = accumulate}});
  }
  // dw[M, K] = dz^T x [+ dw]
  void weight(int64_t K, const T* x, bool accumulate, T* dw) const {
    gemm_kernels<T>().multiply_parallel({M, K, rows}, rows_of(dz, dz_row).transposed(),
                                        rows_of(x, K), {dw, K, {.accumulate = accumulate}});
  }
  ProductGrad from(int64_t first_row, int64_t count) const {
    return {count, M, dz + first_row * dz_row, dz_row};
  }
};

// Gradient of w_hh [M, P]: each step's dz meets the state that the step started from. Those states
// are h0 and all of `output` but its last step, so that two products need no shifted copy.
template <typename T>
void hidden_weight_grad(const RecurrentShape& shape, const ProductGrad<T>& dz, const T* h0,
                        const T* output, T* dw) {
  const int64_t N = shape.batch, later = (shape.steps - 1) * N;
  const T* states = output + (shape.reverse ? N * shape.state : 0);
  dz.from(shape.step(0) * N, N).weight(shape.state, h0, false, dw);
  if (later > 0) {
    dz.from(shape.reverse ? 0 : N, later).weight(shape.state, states, true, dw);
  }
}

// Writes the wanted gradients of input, weights and biases of a layer whose two products have one
// gradient dz [T, N, padded_row(M)], with sums db [M].
template <typename T>
void gather_gradients(const RecurrentShape& shape, int64_t M, const T* dz, const T* db,
                      const T* input, const T* h0, const T* output, const T* w_ih,
                      const RecurrentGrads<T>& grads) {
  const ProductGrad<T> product{shape.steps * shape.batch, M, dz, padded_row(M)};
  if (grads.input) product.input(shape.input, w_ih, false, grads.input);
  if (grads.w_ih) product.weight(shape.input, input, false, grads.w_ih);
  if (grads.w_hh) hidden_weight_grad(shape, product, h0, output, grads.w_hh);
  if (grads.b_ih) std::copy_n(db, M, grads.b_ih);
  if (grads.b_hh) std::copy_n(db, M, grads.b_hh);
}

}  // namespace minidl::cpu::recurrent_detail
