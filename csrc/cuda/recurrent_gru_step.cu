// What remains of a GRU's step after the product with W_hh, forward and backward.
#include "cuda/launch.h"
#include "cuda/recurrent_step.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// A block: recurrent_step.h.

// ---- Kernel -----------------------------------------------------------------------------------

template <class T>
__global__ void __launch_bounds__(step_threads) gru_step_kernel(GruStep<T> p) {
  using C = accumulator_t<T>;
  const StepPlace place(p.size);
  if (!place.inside) return;
  const std::int64_t n = place.n, r_at = place.k, z_at = r_at + p.size.features,
                     n_at = z_at + p.size.features;
  const C r = logistic(static_cast<C>(at(p.gates, n, r_at)) + value(p.from_hidden, n, r_at));
  const C z = logistic(static_cast<C>(at(p.gates, n, z_at)) + value(p.from_hidden, n, z_at));
  const C hidden = value(p.from_hidden, n, n_at);
  const C fresh = std::tanh(static_cast<C>(at(p.gates, n, n_at)) + r * hidden);
  at(p.gates, n, r_at) = static_cast<T>(r);
  at(p.gates, n, z_at) = static_cast<T>(z);
  at(p.gates, n, n_at) = static_cast<T>(fresh);
  at(p.hidden_n, n, r_at) = static_cast<T>(hidden);
  at(p.h, n, r_at) = static_cast<T>((C(1) - z) * fresh + z * value(p.h_before, n, r_at));
}

template <class T>
__global__ void __launch_bounds__(step_threads) gru_step_grad_kernel(GruStepGrad<T> p) {
  using C = accumulator_t<T>;
  const StepPlace place(p.size);
  if (!place.inside) return;
  const std::int64_t n = place.n, r_at = place.k, z_at = r_at + p.size.features,
                     n_at = z_at + p.size.features;
  const C r = value(p.gates, n, r_at), z = value(p.gates, n, z_at), fresh = value(p.gates, n, n_at);
  const C dh = value(p.dh, n, r_at) + value(p.doutput, n, r_at);
  const C dn = dh * (C(1) - z) * (C(1) - fresh * fresh);
  const C dz = dh * (value(p.h_before, n, r_at) - fresh) * z * (C(1) - z);
  const C dr = dn * value(p.hidden_n, n, r_at) * r * (C(1) - r);
  at(p.dz_input, n, r_at) = at(p.dz_hidden, n, r_at) = static_cast<T>(dr);
  at(p.dz_input, n, z_at) = at(p.dz_hidden, n, z_at) = static_cast<T>(dz);
  at(p.dz_input, n, n_at) = static_cast<T>(dn);
  at(p.dz_hidden, n, n_at) = static_cast<T>(dn * r);
  at(p.dh_before, n, r_at) = static_cast<T>(dh * z);
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T>
void gru_step(const GruStep<T>& p, Stream stream) {
  launch("gru_step", gru_step_kernel<T>, step_shape(p.size), stream, p);
}

template <class T>
void gru_step_grad(const GruStepGrad<T>& p, Stream stream) {
  launch("gru_step_grad", gru_step_grad_kernel<T>, step_shape(p.size), stream, p);
}

template void gru_step<Half>(const GruStep<Half>&, Stream);
template void gru_step<BFloat16>(const GruStep<BFloat16>&, Stream);
template void gru_step<float>(const GruStep<float>&, Stream);
template void gru_step<double>(const GruStep<double>&, Stream);
template void gru_step_grad<Half>(const GruStepGrad<Half>&, Stream);
template void gru_step_grad<BFloat16>(const GruStepGrad<BFloat16>&, Stream);
template void gru_step_grad<float>(const GruStepGrad<float>&, Stream);
template void gru_step_grad<double>(const GruStepGrad<double>&, Stream);

}  // namespace minidl::cuda
