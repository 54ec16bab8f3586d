#include "cpu/recurrent_common.h"

namespace minidl::cpu {

using namespace recurrent_detail;

namespace {

template <typename T>
void activate(Activation activation, int64_t count, T* z) {
  if (activation == Activation::kTanh) {
    for (int64_t j = 0; j < count; ++j) z[j] = vector_tanh(z[j]);
  } else {
    for (int64_t j = 0; j < count; ++j) z[j] = z[j] < T(0) ? T(0) : z[j];  // NaN stays NaN
  }
}

}  // namespace

template <typename T>
void rnn_forward(const RecurrentShape& shape, Activation activation, const T* input, const T* h0,
                 const RecurrentWeights<T>& weights, T* output) {
  const int64_t N = shape.batch, H = shape.hidden;
  parallel_linear(shape.steps * N, H, shape.input, input, weights.w_ih, weights.b_ih, weights.b_hh,
                  output);
  parallel_for(N, kBatchGrain, [&](int64_t begin, int64_t end) {
    const T* h = h0 + begin * H;
    for (int64_t k = 0; k < shape.steps; ++k) {
      T* z = output + (shape.step(k) * N + begin) * H;
      gemm<T>(false, true, end - begin, H, H, T(1), h, H, weights.w_hh, H, T(1), z, H);
      activate(activation, (end - begin) * H, z);
      h = z;
    }
  });
}

template <typename T>
void rnn_backward(const RecurrentShape& shape, Activation activation,
                  const RecurrentUpstream<T>& upstream, const T* input, const T* h0,
                  const RecurrentWeights<T>& weights, const T* output,
                  const RecurrentGrads<T>& grads) {
  const int64_t N = shape.batch, H = shape.hidden;
  std::vector<T> dz(static_cast<size_t>(shape.steps * N * H));
  start(upstream.h_n, N * H, grads.h0);
  parallel_for(N, kBatchGrain, [&](int64_t begin, int64_t end) {
    const int64_t count = (end - begin) * H;
    T* dh = grads.h0 + begin * H;
    for (int64_t k = shape.steps - 1; k >= 0; --k) {
      const int64_t at = (shape.step(k) * N + begin) * H;
      add_upstream(upstream.output, at, count, dh);
      for (int64_t j = 0; j < count; ++j) {
        const T h = output[at + j];
        dz[static_cast<size_t>(at + j)] =
            dh[j] * (activation == Activation::kTanh ? T(1) - h * h : T(h > T(0)));
      }
      gemm<T>(false, false, end - begin, H, H, T(1), dz.data() + at, H, weights.w_hh, H, T(0), dh,
              H);
    }
  });
  gather_gradients(shape, H, dz.data(), dz.data(), input, h0, output, weights.w_ih, grads);
}

#define MINIDL_INSTANTIATE(T)                                                                \
  template void rnn_forward(const RecurrentShape&, Activation, const T*, const T*,           \
                            const RecurrentWeights<T>&, T*);                                 \
  template void rnn_backward(const RecurrentShape&, Activation, const RecurrentUpstream<T>&, \
                             const T*, const T*, const RecurrentWeights<T>&, const T*,       \
                             const RecurrentGrads<T>&);
MINIDL_INSTANTIATE(float)
MINIDL_INSTANTIATE(double)

}  // namespace minidl::cpu
