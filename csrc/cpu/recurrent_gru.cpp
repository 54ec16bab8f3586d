#include "cpu/recurrent_common.h"

namespace minidl::cpu {

using namespace recurrent_detail;

namespace {

// One row: z [3 H] (W_ih x + b_ih in, activations out) and u [3 H] = W_hh h + b_hh to h_next [H].
template <typename T>
void gru_step(int64_t H, T* __restrict z, const T* __restrict u, const T* __restrict h,
              T* __restrict h_next) {
  for (int64_t j = 0; j < 2 * H; ++j) z[j] = vector_sigmoid(z[j] + u[j]);
  for (int64_t j = 0; j < H; ++j) {
    const T update = z[H + j];
    const T n = z[2 * H + j] = vector_tanh(z[2 * H + j] + z[j] * u[2 * H + j]);
    h_next[j] = (T(1) - update) * n + update * h[j];
  }
}

// One row: dh [H] arrives and becomes its share for h_before that passes by the gates; dz_input and
// dz_hidden [3 H] differ in n only, where the reset gate scales the latter.
template <typename T>
void gru_step_grad(int64_t H, const T* __restrict gates, const T* __restrict hidden_n,
                   const T* __restrict h_before, T* __restrict dh, T* __restrict dz_input,
                   T* __restrict dz_hidden) {
  for (int64_t j = 0; j < H; ++j) {
    const T r = gates[j], z = gates[H + j], n = gates[2 * H + j];
    const T dn = dh[j] * (T(1) - z) * (T(1) - n * n);
    dz_input[j] = dz_hidden[j] = dn * hidden_n[j] * r * (T(1) - r);
    dz_input[H + j] = dz_hidden[H + j] = dh[j] * (h_before[j] - n) * z * (T(1) - z);
    dz_input[2 * H + j] = dn;
    dz_hidden[2 * H + j] = dn * r;
    dh[j] *= z;
  }
}

}  // namespace

template <typename T>
void gru_forward(const RecurrentShape& shape, const T* input, const T* h0,
                 const RecurrentWeights<T>& weights, T* output, T* gates, T* hidden_n) {
  const int64_t N = shape.batch, H = shape.hidden;
  parallel_linear<T>(shape.steps * N, 3 * H, shape.input, input, weights.w_ih, weights.b_ih,
                     nullptr, gates);
  parallel_for(N, kBatchGrain, [&](int64_t begin, int64_t end) {
    std::vector<T> from_hidden(static_cast<size_t>((end - begin) * 3 * H));
    const T* h = h0 + begin * H;
    for (int64_t k = 0; k < shape.steps; ++k) {
      const int64_t row = shape.step(k) * N + begin;
      T* h_next = output + row * H;
      linear<T>(end - begin, 3 * H, H, h, weights.w_hh, weights.b_hh, nullptr, from_hidden.data());
      for (int64_t n = 0; n < end - begin; ++n) {
        const T* u = from_hidden.data() + n * 3 * H;
        std::copy_n(u + 2 * H, H, hidden_n + (row + n) * H);
        gru_step(H, gates + (row + n) * 3 * H, u, h + n * H, h_next + n * H);
      }
      h = h_next;
    }
  });
}

template <typename T>
void gru_backward(const RecurrentShape& shape, const RecurrentUpstream<T>& upstream, const T* input,
                  const T* h0, const RecurrentWeights<T>& weights, const T* output, const T* gates,
                  const T* hidden_n, const RecurrentGrads<T>& grads) {
  const int64_t N = shape.batch, H = shape.hidden;
  std::vector<T> dz_input(static_cast<size_t>(shape.steps * N * 3 * H));
  std::vector<T> dz_hidden(dz_input.size());
  start(upstream.h_n, N * H, grads.h0);
  parallel_for(N, kBatchGrain, [&](int64_t begin, int64_t end) {
    T* dh = grads.h0 + begin * H;
    for (int64_t k = shape.steps - 1; k >= 0; --k) {
      const int64_t row = shape.step(k) * N + begin;
      const T* h_before = k == 0 ? h0 + begin * H : output + (shape.step(k - 1) * N + begin) * H;
      add_upstream(upstream.output, row * H, (end - begin) * H, dh);
      for (int64_t n = 0; n < end - begin; ++n) {
        const int64_t at = (row + n) * 3 * H;
        gru_step_grad(H, gates + at, hidden_n + (row + n) * H, h_before + n * H, dh + n * H,
                      dz_input.data() + at, dz_hidden.data() + at);
      }
      gemm<T>(false, false, end - begin, H, 3 * H, T(1), dz_hidden.data() + row * 3 * H, 3 * H,
              weights.w_hh, H, T(1), dh, H);
    }
  });
  gather_gradients(shape, 3 * H, dz_input.data(), dz_hidden.data(), input, h0, output, weights.w_ih,
                   grads);
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
