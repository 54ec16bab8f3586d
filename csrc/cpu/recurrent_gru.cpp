#include "cpu/recurrent_common.h"

namespace minidl::cpu {

using namespace recurrent_detail;

namespace {

// The gradients of a GRU's two products share the columns r and z of dz [T, N, padded_row(4 H)],
// which lie between n (of the input's product) and m (of the state's): n r z m.
template <typename T>
void gather_gru_gradients(const RecurrentShape& shape, const T* dz, const T* db, const T* input,
                          const T* h0, const T* output, const T* w_ih,
                          const RecurrentGrads<T>& grads) {
  const int64_t H = shape.hidden, I = shape.input, rows = shape.steps * shape.batch;
  const int64_t lda = padded_row(4 * H);
  const ProductGrad<T> n{rows, H, dz, lda}, r_z{rows, 2 * H, dz + H, lda};
  if (grads.input) {
    r_z.input(I, w_ih, false, grads.input);
    n.input(I, w_ih + 2 * H * I, true, grads.input);
  }
  if (grads.w_ih) {
    r_z.weight(I, input, false, grads.w_ih);
    n.weight(I, input, false, grads.w_ih + 2 * H * I);
  }
  if (grads.w_hh) {
    hidden_weight_grad(shape, ProductGrad<T>{rows, 3 * H, dz + H, lda}, h0, output, grads.w_hh);
  }
  if (grads.b_ih) {
    std::copy_n(db + H, 2 * H, grads.b_ih);
    std::copy_n(db, H, grads.b_ih + 2 * H);
  }
  if (grads.b_hh) std::copy_n(db + H, 3 * H, grads.b_hh);
}

}  // namespace

template <typename T>
void gru_forward(const RecurrentShape& shape, const T* input, const T* h0,
                 const RecurrentWeights<T>& weights, T* output, T* gates, T* hidden_n) {
  const int64_t H = shape.hidden;
  const Memory<T> bias(3 * H), work(forward_work(shape, 3, false));
  add_biases(2 * H, weights.b_ih, weights.b_hh, bias.data());
  add_biases<T>(H, weights.b_ih ? weights.b_ih + 2 * H : nullptr, nullptr, bias.data() + 2 * H);
  multiply_inputs(shape, 3 * H, input, weights.w_ih, bias.data(), gates);
  const T* b_hn = weights.b_hh ? weights.b_hh + 2 * H : nullptr;
  recurrent_steps<T>().gru(shape, h0, weights.w_hh, b_hn, output, gates, hidden_n, work.data());
}

template <typename T>
void gru_backward(const RecurrentShape& shape, const RecurrentUpstream<T>& upstream, const T* input,
                  const T* h0, const RecurrentWeights<T>& weights, const T* output, const T* gates,
                  const T* hidden_n, const RecurrentGrads<T>& grads) {
  const int64_t H = shape.hidden;
  const Memory<T> dz(shape.steps * shape.batch * padded_row(4 * H)), db(4 * H);
  const Memory<T> work(backward_work(shape, 3, false));
  recurrent_steps<T>().gru_grad(shape, upstream, h0, weights.w_hh, output, gates, hidden_n,
                                dz.data(), db.data(), grads.h0, work.data());
  gather_gru_gradients(shape, dz.data(), db.data(), input, h0, output, weights.w_ih, grads);
}

#define MINIDL_INSTANTIATE(T)                                                                      \
  template void gru_forward(const RecurrentShape&, const T*, const T*, const RecurrentWeights<T>&, \
                            T*, T*, T*);                                                           \
  template void gru_backward(const RecurrentShape&, const RecurrentUpstream<T>&, const T*,         \
                             const T*, const RecurrentWeights<T>&, const T*, const T*, const T*,   \
                             const RecurrentGrads<T>&);
MINIDL_INSTANTIATE(float)
MINIDL_INSTANTIATE(double)

}  // namespace minidl::cpu
