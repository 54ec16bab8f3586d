#include "cpu/recurrent_common.h"

namespace minidl::cpu {

using namespace recurrent_detail;

template <typename T>
void lstm_forward(const RecurrentShape& shape, const T* input, const T* h0, const T* c0,
                  const RecurrentWeights<T>& weights, T* output, T* gates, T* cells) {
  const int64_t H = shape.hidden;
  const Memory<T> bias(4 * H), work(forward_work(shape, 4, weights.w_hr != nullptr));
  add_biases(4 * H, weights.b_ih, weights.b_hh, bias.data());
  multiply_inputs(shape, 4 * H, input, weights.w_ih, bias.data(), gates);
  recurrent_steps<T>().lstm(shape, h0, c0, weights.w_hh, weights.w_hr, output, gates, cells,
                            work.data());
}

template <typename T>
void lstm_backward(const RecurrentShape& shape, const RecurrentUpstream<T>& upstream,
                   const T* input, const T* h0, const T* c0, const RecurrentWeights<T>& weights,
                   const T* output, const T* gates, const T* cells,
                   const RecurrentGrads<T>& grads) {
  const int64_t H = shape.hidden, P = shape.state, all = shape.steps * shape.batch;
  const bool projected = weights.w_hr != nullptr;
  const Memory<T> dz(all * padded_row(4 * H)), dstate(projected ? all * P : 0), db(4 * H);
  {
    const Memory<T> work(backward_work(shape, 4, projected));
    recurrent_steps<T>().lstm_grad(shape, upstream, c0, weights.w_hh, weights.w_hr, gates, cells,
                                   dz.data(), dstate.data(), db.data(), grads.h0, grads.c0,
                                   work.data());
  }
  gather_gradients(shape, 4 * H, dz.data(), db.data(), input, h0, output, weights.w_ih, grads);
  if (grads.w_hr) {
    T* const hidden = dz.data();  // no longer needed, and large enough
    recurrent_steps<T>().lstm_hidden(shape, gates, cells, hidden);
    ProductGrad<T>{all, P, dstate.data(), P}.weight(H, hidden, false, grads.w_hr);
  }
}

#define MINIDL_INSTANTIATE(T)                                                                     \
  template void lstm_forward(const RecurrentShape&, const T*, const T*, const T*,                 \
                             const RecurrentWeights<T>&, T*, T*, T*);                             \
  template void lstm_backward(const RecurrentShape&, const RecurrentUpstream<T>&, const T*,       \
                              const T*, const T*, const RecurrentWeights<T>&, const T*, const T*, \
                              const T*, const RecurrentGrads<T>&);
MINIDL_INSTANTIATE(float)
MINIDL_INSTANTIATE(double)

}  // namespace minidl::cpu
