// Sequences of one recurrent layer in one direction: forward and gradients, float and double.
//
// Letters: T steps, N batch, I input features, H hidden features, P features of the state (P = H
// but for an LSTM with a projection), G gates (RNN 1; LSTM 4 in the order i f g o; GRU 3 in the
// order r z n). All arrays are contiguous and none overlap:
//
//   input [T, N, I]   h0 [N, P]   c0 [N, H]   output [T, N, P]   cells [T, N, H]
//   gates [T, N, G H]
//   w_ih [G H, I]   w_hh [G H, P]   b_ih, b_hh [G H] or null   w_hr [P, H] or null
//
// With `reverse` the steps run from the last to the first; output[t] still belongs to input[t].
// Rows of a batch never meet before the weight gradients, so a thread takes some rows through all
// steps and no step waits for another thread. The formulas are those of
// minidl/backends/reference/recurrent.py.
#pragma once

#include <cstdint>

namespace minidl::cpu {

struct RecurrentShape {
  int64_t steps, batch, input, hidden, state;
  bool reverse;

  // Index of the step that is the k-th to be computed, k = 0 ... steps - 1.
  int64_t step(int64_t k) const { return reverse ? steps - 1 - k : k; }
};

enum class Nonlinearity { kTanh, kRelu };

template <typename T>
struct RecurrentWeights {
  const T *w_ih, *w_hh, *b_ih, *b_hh, *w_hr;
};

// Where gradients go; null for one that is not wanted. The states' are always written.
template <typename T>
struct RecurrentGrads {
  T *input, *h0, *c0, *w_ih, *w_hh, *b_ih, *b_hh, *w_hr;
};

// What arrives from above; null means zero.
template <typename T>
struct RecurrentUpstream {
  const T *output, *h_n, *c_n;
};

template <typename T>
void rnn_forward(const RecurrentShape& shape, Nonlinearity nonlinearity, const T* input,
                 const T* h0, const RecurrentWeights<T>& weights, T* output);

template <typename T>
void rnn_backward(const RecurrentShape& shape, Nonlinearity nonlinearity,
                  const RecurrentUpstream<T>& upstream, const T* input, const T* h0,
                  const RecurrentWeights<T>& weights, const T* output,
                  const RecurrentGrads<T>& grads);

// Saves gates after their activations, and cells: c after each step.
template <typename T>
void lstm_forward(const RecurrentShape& shape, const T* input, const T* h0, const T* c0,
                  const RecurrentWeights<T>& weights, T* output, T* gates, T* cells);

template <typename T>
void lstm_backward(const RecurrentShape& shape, const RecurrentUpstream<T>& upstream,
                   const T* input, const T* h0, const T* c0, const RecurrentWeights<T>& weights,
                   const T* output, const T* gates, const T* cells, const RecurrentGrads<T>& grads);

// Saves gates after their activations, and hidden_n [T, N, H] = W_hn h + b_hn.
template <typename T>
void gru_forward(const RecurrentShape& shape, const T* input, const T* h0,
                 const RecurrentWeights<T>& weights, T* output, T* gates, T* hidden_n);

template <typename T>
void gru_backward(const RecurrentShape& shape, const RecurrentUpstream<T>& upstream, const T* input,
                  const T* h0, const RecurrentWeights<T>& weights, const T* output, const T* gates,
                  const T* hidden_n, const RecurrentGrads<T>& grads);

}  // namespace minidl::cpu
