// Recurrent layers over whole sequences: one layer in one direction of an Elman RNN, an LSTM or a
// GRU, forward and backward. A step is one product with W_hh and, for all but an RNN's forward, one
// kernel for everything else; no step comes back to the caller.
//
// Letters: T steps, N batch, H hidden features. Gates stand side by side, H features each: an
// LSTM's in the order i, f, g, o, a GRU's in the order r, z, n. float16 and bfloat16 (gates
// computed in float32), float32, float64, the same in all arrays; any strides. The products of all
// steps with the other weights are matmul()'s: W_ih x + b_ih comes in, the gradient dz of the sums
// goes out. A step's t counts from the front, also where the steps run in reverse.
//
// All throw std::invalid_argument for shapes and TypeMismatch for dtypes that do not fit.
// Sources: Elman (1990), "Finding structure in time"; Hochreiter and Schmidhuber (1997), "Long
// short-term memory", with the forget gate of Gers et al. (2000); Cho et al. (2014),
// arXiv:1406.1078, with the reset gate after the product.
#pragma once

#include "cuda/array.h"
#include "cuda/stream.h"

namespace minidl::cuda {

struct RecurrentOptions {
  bool reverse = false;  // from the last step to the first
  bool tf32 = false;     // see MatmulOptions, as is workspace: for a step's product
  const Array* workspace = nullptr;
};

// h_t = act(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh), act being tanh or relu
struct RnnSequence {
  const Array& w_hh;    // [H, H]
  const Array* b_hh;    // [H] or null
  const Array& h0;      // [N, H]
  const Array& output;  // [T, N, H]  in: W_ih x + b_ih, out: h
  bool relu;
  RecurrentOptions options = {};
};

void rnn_sequence(const RnnSequence& sequence, Stream stream);

struct RnnSequenceGrad {
  const Array& w_hh;     // [H, H]
  const Array* doutput;  // [T, N, H] or null
  const Array* dh_n;     // [N, H] or null
  const Array& output;   // [T, N, H]
  const Array& dz;       // [T, N, H]  out: gradient of the sums
  const Array& dh0;      // [N, H]     out
  bool relu;
  RecurrentOptions options = {};
};

void rnn_sequence_grad(const RnnSequenceGrad& sequence, Stream stream);

// c_t = f c_(t-1) + i g;  h_t = o tanh(c_t);  i, f, o = sigmoid, g = tanh of the sums
struct LstmSequence {
  const Array& w_hh;    // [4 H, H]
  const Array* b_hh;    // [4 H] or null
  const Array& h0;      // [N, H]
  const Array& c0;      // [N, H]
  const Array& gates;   // [T, N, 4 H]  in: W_ih x + b_ih, out: the gates
  const Array& cells;   // [T, N, H]    out: c
  const Array& output;  // [T, N, H]    out: h
  RecurrentOptions options = {};
};

void lstm_sequence(const LstmSequence& sequence, Stream stream);

struct LstmSequenceGrad {
  const Array& w_hh;     // [4 H, H]
  const Array* doutput;  // [T, N, H] or null
  const Array* dh_n;     // [N, H] or null
  const Array* dc_n;     // [N, H] or null
  const Array& c0;       // [N, H]
  const Array& gates;    // [T, N, 4 H]
  const Array& cells;    // [T, N, H]
  const Array& dz;       // [T, N, 4 H]  out: gradient of the sums
  const Array& dh0;      // [N, H]       out
  const Array& dc0;      // [N, H]       out
  RecurrentOptions options = {};
};

void lstm_sequence_grad(const LstmSequenceGrad& sequence, Stream stream);

// r, z = sigmoid of the sums;  n = tanh(W_in x + b_in + r (W_hn h + b_hn));  h' = (1 - z) n + z h
struct GruSequence {
  const Array& w_hh;         // [3 H, H]
  const Array* b_hh;         // [3 H] or null
  const Array& h0;           // [N, H]
  const Array& gates;        // [T, N, 3 H]  in: W_ih x + b_ih, out: the gates
  const Array& hidden_n;     // [T, N, H]    out: W_hn h + b_hn
  const Array& output;       // [T, N, H]    out: h
  const Array& from_hidden;  // [N, 3 H]     workspace
  RecurrentOptions options = {};
};

void gru_sequence(const GruSequence& sequence, Stream stream);

struct GruSequenceGrad {
  const Array& w_hh;       // [3 H, H]
  const Array* doutput;    // [T, N, H] or null
  const Array* dh_n;       // [N, H] or null
  const Array& h0;         // [N, H]
  const Array& output;     // [T, N, H]
  const Array& gates;      // [T, N, 3 H]
  const Array& hidden_n;   // [T, N, H]
  const Array& dz_input;   // [T, N, 3 H]  out: gradient of W_ih x + b_ih
  const Array& dz_hidden;  // [T, N, 3 H]  out: gradient of W_hh h + b_hh
  const Array& dh0;        // [N, H]       out
  RecurrentOptions options = {};
};

void gru_sequence_grad(const GruSequenceGrad& sequence, Stream stream);

}  // namespace minidl::cuda
