// What remains of an LSTM's step after the product with W_hh, forward and backward.
#include "cuda/launch.h"
#include "cuda/recurrent_step.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// A block: recurrent_step.h.

enum Gate { i_gate, f_gate, g_gate, o_gate, gate_count };

// ---- Kernel -----------------------------------------------------------------------------------

template <class T>
__global__ void __launch_bounds__(step_threads) lstm_step_kernel(LstmStep<T> p) {
  using C = accumulator_t<T>;
  const StepPlace place(p.size);
  if (!place.inside) return;
  const std::int64_t n = place.n, k = place.k;
  C gate[gate_count];
  MINIDL_UNROLL
  for (int q = 0; q < gate_count; ++q) {
    T& element = at(p.gates, n, q * p.size.features + k);
    const C z = static_cast<C>(element);
    gate[q] = q == g_gate ? std::tanh(z) : logistic(z);
    element = static_cast<T>(gate[q]);
  }
  const C c = gate[f_gate] * value(p.c_before, n, k) + gate[i_gate] * gate[g_gate];
  at(p.c, n, k) = static_cast<T>(c);
  at(p.h, n, k) = static_cast<T>(gate[o_gate] * std::tanh(c));
}

template <class T>
__global__ void __launch_bounds__(step_threads) lstm_step_grad_kernel(LstmStepGrad<T> p) {
  using C = accumulator_t<T>;
  const StepPlace place(p.size);
  if (!place.inside) return;
  const std::int64_t n = place.n, k = place.k;
  C gate[gate_count];
  MINIDL_UNROLL
  for (int q = 0; q < gate_count; ++q) gate[q] = value(p.gates, n, q * p.size.features + k);
  const C dh = value(p.dh, n, k) + value(p.doutput, n, k);
  const C tanh_c = std::tanh(value(p.c, n, k));
  const C dc = value(p.dc, n, k) + dh * gate[o_gate] * (C(1) - tanh_c * tanh_c);
  const C into[gate_count] = {dc * gate[g_gate], dc * value(p.c_before, n, k), dc * gate[i_gate],
                              dh * tanh_c};
  MINIDL_UNROLL
  for (int q = 0; q < gate_count; ++q) {
    const C slope = q == g_gate ? C(1) - gate[q] * gate[q] : gate[q] * (C(1) - gate[q]);
    at(p.dz, n, q * p.size.features + k) = static_cast<T>(into[q] * slope);
  }
  at(p.dc_before, n, k) = static_cast<T>(dc * gate[f_gate]);
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T>
void lstm_step(const LstmStep<T>& p, Stream stream) {
  launch("lstm_step", lstm_step_kernel<T>, step_shape(p.size), stream, p);
}

template <class T>
void lstm_step_grad(const LstmStepGrad<T>& p, Stream stream) {
  launch("lstm_step_grad", lstm_step_grad_kernel<T>, step_shape(p.size), stream, p);
}

template void lstm_step<Half>(const LstmStep<Half>&, Stream);
template void lstm_step<BFloat16>(const LstmStep<BFloat16>&, Stream);
template void lstm_step<float>(const LstmStep<float>&, Stream);
template void lstm_step<double>(const LstmStep<double>&, Stream);
template void lstm_step_grad<Half>(const LstmStepGrad<Half>&, Stream);
template void lstm_step_grad<BFloat16>(const LstmStepGrad<BFloat16>&, Stream);
template void lstm_step_grad<float>(const LstmStepGrad<float>&, Stream);
template void lstm_step_grad<double>(const LstmStepGrad<double>&, Stream);

}  // namespace minidl::cuda
