#include "cpu/recurrent_common.h"

namespace minidl::cpu {

using namespace recurrent_detail;

namespace {

// One row: gates z [4 H] (pre-activations in, activations out) and c_before [H] to c and h [H].
template <typename T>
void lstm_step(int64_t H, T* __restrict z, const T* __restrict c_before, T* __restrict c,
               T* __restrict h) {
  for (int64_t j = 0; j < 2 * H; ++j) z[j] = vector_sigmoid(z[j]);
  for (int64_t j = 2 * H; j < 3 * H; ++j) z[j] = vector_tanh(z[j]);
  for (int64_t j = 3 * H; j < 4 * H; ++j) z[j] = vector_sigmoid(z[j]);
  for (int64_t j = 0; j < H; ++j) {
    c[j] = z[H + j] * c_before[j] + z[j] * z[2 * H + j];
    h[j] = z[3 * H + j] * vector_tanh(c[j]);
  }
}

// One row: dh and dc [H] arrive; dz [4 H] is the gradient of the pre-activations and dc becomes the
// gradient of c_before.
template <typename T>
void lstm_step_grad(int64_t H, const T* __restrict gates, const T* __restrict c_before,
                    const T* __restrict c, const T* __restrict dh, T* __restrict dc,
                    T* __restrict dz) {
  for (int64_t j = 0; j < H; ++j) {
    const T i = gates[j], f = gates[H + j], g = gates[2 * H + j], o = gates[3 * H + j];
    const T tanh_c = vector_tanh(c[j]);
    const T d = dc[j] + dh[j] * o * (T(1) - tanh_c * tanh_c);
    dz[j] = d * g * i * (T(1) - i);
    dz[H + j] = d * c_before[j] * f * (T(1) - f);
    dz[2 * H + j] = d * i * (T(1) - g * g);
    dz[3 * H + j] = dh[j] * tanh_c * o * (T(1) - o);
    dc[j] = d * f;
  }
}

// hidden[T, N, H] = o tanh(c): the states before their projection.
template <typename T>
void unprojected(const RecurrentShape& shape, const T* gates, const T* cells, T* hidden) {
  const int64_t H = shape.hidden;
  parallel_for(shape.steps * shape.batch, kRowGrain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const T* o = gates + row * 4 * H + 3 * H;
      for (int64_t j = 0; j < H; ++j) hidden[row * H + j] = o[j] * vector_tanh(cells[row * H + j]);
    }
  });
}

}  // namespace

template <typename T>
void lstm_forward(const RecurrentShape& shape, const T* input, const T* h0, const T* c0,
                  const RecurrentWeights<T>& weights, T* output, T* gates, T* cells) {
  const int64_t N = shape.batch, H = shape.hidden, P = shape.state;
  parallel_linear(shape.steps * N, 4 * H, shape.input, input, weights.w_ih, weights.b_ih,
                  weights.b_hh, gates);
  parallel_for(N, kBatchGrain, [&](int64_t begin, int64_t end) {
    const int64_t rows = end - begin;
    std::vector<T> hidden(static_cast<size_t>(weights.w_hr ? rows * H : 0));
    const T* h = h0 + begin * P;
    const T* c = c0 + begin * H;
    for (int64_t k = 0; k < shape.steps; ++k) {
      const int64_t row = shape.step(k) * N + begin;
      T* z = gates + row * 4 * H;
      T* h_next = output + row * P;
      T* c_next = cells + row * H;
      T* result = weights.w_hr ? hidden.data() : h_next;
      gemm<T>(false, true, rows, 4 * H, P, T(1), h, P, weights.w_hh, P, T(1), z, 4 * H);
      for (int64_t n = 0; n < rows; ++n) {
        lstm_step(H, z + n * 4 * H, c + n * H, c_next + n * H, result + n * H);
      }
      if (weights.w_hr) linear<T>(rows, P, H, result, weights.w_hr, nullptr, nullptr, h_next);
      h = h_next;
      c = c_next;
    }
  });
}

template <typename T>
void lstm_backward(const RecurrentShape& shape, const RecurrentUpstream<T>& upstream,
                   const T* input, const T* h0, const T* c0, const RecurrentWeights<T>& weights,
                   const T* output, const T* gates, const T* cells,
                   const RecurrentGrads<T>& grads) {
  const int64_t N = shape.batch, H = shape.hidden, P = shape.state, all = shape.steps * N;
  std::vector<T> dz(static_cast<size_t>(all * 4 * H));
  std::vector<T> doutput(static_cast<size_t>(weights.w_hr ? all * P : 0));
  start(upstream.h_n, N * P, grads.h0);
  start(upstream.c_n, N * H, grads.c0);
  parallel_for(N, kBatchGrain, [&](int64_t begin, int64_t end) {
    const int64_t rows = end - begin;
    std::vector<T> dhidden(static_cast<size_t>(weights.w_hr ? rows * H : 0));
    T* dh = grads.h0 + begin * P;
    T* dc = grads.c0 + begin * H;
    for (int64_t k = shape.steps - 1; k >= 0; --k) {
      const int64_t row = shape.step(k) * N + begin;
      const T* c_before = k == 0 ? c0 + begin * H : cells + (shape.step(k - 1) * N + begin) * H;
      T* dz_step = dz.data() + row * 4 * H;
      add_upstream(upstream.output, row * P, rows * P, dh);
      if (weights.w_hr) {
        std::copy_n(dh, rows * P, doutput.data() + row * P);
        gemm<T>(false, false, rows, H, P, T(1), dh, P, weights.w_hr, H, T(0), dhidden.data(), H);
      }
      const T* dstep = weights.w_hr ? dhidden.data() : dh;
      for (int64_t n = 0; n < rows; ++n) {
        lstm_step_grad(H, gates + (row + n) * 4 * H, c_before + n * H, cells + (row + n) * H,
                       dstep + n * H, dc + n * H, dz_step + n * 4 * H);
      }
      gemm<T>(false, false, rows, P, 4 * H, T(1), dz_step, 4 * H, weights.w_hh, P, T(0), dh, P);
    }
  });
  gather_gradients(shape, 4 * H, dz.data(), dz.data(), input, h0, output, weights.w_ih, grads);
  if (grads.w_hr) {
    std::vector<T>& hidden = dz;  // no longer needed, and large enough
    unprojected(shape, gates, cells, hidden.data());
    linear_weight_grad(all, P, H, doutput.data(), hidden.data(), T(0), grads.w_hr);
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
