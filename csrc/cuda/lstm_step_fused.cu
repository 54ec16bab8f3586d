// The elementwise part of an LSTM step, forward and backward: a thread computes one feature of one
// batch row, all four gates of it, so nothing between the matrix products and the new state goes
// through memory.
#include <cmath>

#include "cuda/launch.h"
#include "cuda/lstm_step_kernels.h"
#include "cuda/ptx/unroll.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------

constexpr int threads = 128;

// ---- Kernel -----------------------------------------------------------------------------------

enum Gate { i_gate, f_gate, g_gate, o_gate, gate_count };

template <class T>
__device__ __forceinline__ T& at(const Matrix<T>& m, std::int64_t row, std::int64_t column) {
  return m.data[row * m.row + column * m.column];
}

template <class T>
__device__ __forceinline__ T at_or_zero(const Matrix<const T>& m, std::int64_t row,
                                        std::int64_t column) {
  return m.data ? at(m, row, column) : T(0);
}

template <class T>
__global__ void __launch_bounds__(threads) lstm_forward_kernel(LstmForward<T> p) {
  const std::int64_t index = blockIdx.x * static_cast<std::int64_t>(threads) + threadIdx.x;
  if (index >= p.batch * p.features) return;
  const std::int64_t n = index / p.features, k = index % p.features;
  T gate[gate_count];
  MINIDL_UNROLL
  for (int q = 0; q < gate_count; ++q) {
    const std::int64_t column = q * p.features + k;
    const T z = at(p.from_input, n, column) + at(p.from_hidden, n, column) +
                at_or_zero(p.b_ih, n, column) + at_or_zero(p.b_hh, n, column);
    gate[q] = q == g_gate ? std::tanh(z) : T(1) / (T(1) + std::exp(-z));
    at(p.gates, n, column) = gate[q];
  }
  const T c = gate[f_gate] * at(p.c_before, n, k) + gate[i_gate] * gate[g_gate];
  at(p.c, n, k) = c;
  at(p.h, n, k) = gate[o_gate] * std::tanh(c);
}

template <class T>
__global__ void __launch_bounds__(threads) lstm_backward_kernel(LstmBackward<T> p) {
  const std::int64_t index = blockIdx.x * static_cast<std::int64_t>(threads) + threadIdx.x;
  if (index >= p.batch * p.features) return;
  const std::int64_t n = index / p.features, k = index % p.features;
  T gate[gate_count];
  MINIDL_UNROLL
  for (int q = 0; q < gate_count; ++q) gate[q] = at(p.gates, n, q * p.features + k);
  const T dh = at_or_zero(p.dh, n, k) + at_or_zero(p.doutput, n, k);
  const T tanh_c = std::tanh(at(p.c, n, k));
  const T dc = at_or_zero(p.dc, n, k) + dh * gate[o_gate] * (T(1) - tanh_c * tanh_c);
  const T into[gate_count] = {dc * gate[g_gate], dc * at(p.c_before, n, k), dc * gate[i_gate],
                              dh * tanh_c};
  MINIDL_UNROLL
  for (int q = 0; q < gate_count; ++q) {
    const T slope = q == g_gate ? T(1) - gate[q] * gate[q] : gate[q] * (T(1) - gate[q]);
    at(p.dz, n, q * p.features + k) = into[q] * slope;
  }
  at(p.dc_before, n, k) = dc * gate[f_gate];
}

// ---- Launcher ---------------------------------------------------------------------------------

LaunchShape shape_for(std::int64_t elements) {
  return {.grid = {(elements + threads - 1) / threads}, .block = {threads}};
}

}  // namespace

template <class T>
void lstm_forward(const LstmForward<T>& p, Stream stream) {
  launch("lstm_forward", lstm_forward_kernel<T>, shape_for(p.batch * p.features), stream, p);
}

template <class T>
void lstm_backward(const LstmBackward<T>& p, Stream stream) {
  launch("lstm_backward", lstm_backward_kernel<T>, shape_for(p.batch * p.features), stream, p);
}

template void lstm_forward<float>(const LstmForward<float>&, Stream);
template void lstm_forward<double>(const LstmForward<double>&, Stream);
template void lstm_backward<float>(const LstmBackward<float>&, Stream);
template void lstm_backward<double>(const LstmBackward<double>&, Stream);

}  // namespace minidl::cuda
