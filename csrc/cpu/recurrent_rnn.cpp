#include "cpu/recurrent_common.h"

namespace minidl::cpu {

using namespace recurrent_detail;

template <typename T>
void rnn_forward(const RecurrentShape& shape, Nonlinearity nonlinearity, const T* input,
                 const T* h0, const RecurrentWeights<T>& weights, T* output) {
  const int64_t H = shape.hidden;
  const Memory<T> bias(H), work(forward_work(shape, 1, false));
  add_biases(H, weights.b_ih, weights.b_hh, bias.data());
  multiply_inputs(shape, H, input, weights.w_ih, bias.data(), output);
  recurrent_steps<T>().rnn(shape, nonlinearity, h0, weights.w_hh, output, work.data());
}

template <typename T>
void rnn_backward(const RecurrentShape& shape, Nonlinearity nonlinearity,
                  const RecurrentUpstream<T>& upstream, const T* input, const T* h0,
                  const RecurrentWeights<T>& weights, const T* output,
                  const RecurrentGrads<T>& grads) {
  const int64_t H = shape.hidden;
  const Memory<T> dz(shape.steps * shape.batch * padded_row(H)), db(H);
  const Memory<T> work(backward_work(shape, 1, false));
  recurrent_steps<T>().rnn_grad(shape, nonlinearity, upstream, weights.w_hh, output, dz.data(),
                                db.data(), grads.h0, work.data());
  gather_gradients(shape, H, dz.data(), db.data(), input, h0, output, weights.w_ih, grads);
}

#define MINIDL_INSTANTIATE(T)                                                                  \
  template void rnn_forward(const RecurrentShape&, Nonlinearity, const T*, const T*,           \
                            const RecurrentWeights<T>&, T*);                                   \
  template void rnn_backward(const RecurrentShape&, Nonlinearity, const RecurrentUpstream<T>&, \
                             const T*, const T*, const RecurrentWeights<T>&, const T*,         \
                             const RecurrentGrads<T>&);
MINIDL_INSTANTIATE(float)
MINIDL_INSTANTIATE(double)

}  // namespace minidl::cpu
