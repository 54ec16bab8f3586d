// One step of an LSTM, what remains of it after the matrix products, in one kernel each way.
// Source: Hochreiter and Schmidhuber (1997), with the forget gate of Gers et al. (2000).
//
// Letters: N batch, H hidden features. Gates stand in the order i, f, g, o, each H features. All
// arrays are of one dtype, float32 or float64, with any strides.
#pragma once

#include "cuda/array.h"
#include "cuda/stream.h"

namespace minidl::cuda {

struct LstmStep {
  const Array& from_input;   // [N, 4 H]  W_ih x
  const Array& from_hidden;  // [N, 4 H]  W_hh h
  const Array* b_ih;         // [4 H] or null
  const Array* b_hh;         // [4 H] or null
  const Array& c_before;     // [N, H]
  const Array& gates;  // [N, 4 H]  out: i, f, o = sigmoid, g = tanh of the sum; may be from_input
  const Array& c;      // [N, H]    out: f c_before + i g
  const Array& h;      // [N, H]    out: o tanh(c)
};

void lstm_step(const LstmStep& step, Stream stream);

struct LstmStepGrad {
  const Array* dh;         // [N, H] or null  from the following step
  const Array* doutput;    // [N, H] or null  from this step's output; added to dh
  const Array* dc;         // [N, H] or null  from the following step
  const Array& gates;      // [N, 4 H]  as lstm_step left them
  const Array& c;          // [N, H]
  const Array& c_before;   // [N, H]
  const Array& dz;         // [N, 4 H]  out: gradient of the gates' sums
  const Array& dc_before;  // [N, H]    out; may be dc
};

void lstm_step_grad(const LstmStepGrad& step, Stream stream);

}  // namespace minidl::cuda
