// What remains of an Elman RNN's step backward after the product; forward nothing does, for its
// bias and activation are the product's epilogue.
#include "cuda/launch.h"
#include "cuda/recurrent_step.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// A block: recurrent_step.h.

// ---- Kernel -----------------------------------------------------------------------------------

template <class T>
__global__ void __launch_bounds__(step_threads) rnn_step_grad_kernel(RnnStepGrad<T> p) {
  using C = accumulator_t<T>;
  const StepPlace place(p.size);
  if (!place.inside) return;
  const std::int64_t n = place.n, k = place.k;
  const C dh = value(p.dh, n, k) + value(p.doutput, n, k), h = value(p.output, n, k);
  at(p.dz, n, k) = static_cast<T>(p.relu ? (h > C(0) ? dh : C(0) * dh) : dh * (C(1) - h * h));
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T>
void rnn_step_grad(const RnnStepGrad<T>& p, Stream stream) {
  launch("rnn_step_grad", rnn_step_grad_kernel<T>, step_shape(p.size), stream, p);
}

template void rnn_step_grad<Half>(const RnnStepGrad<Half>&, Stream);
template void rnn_step_grad<BFloat16>(const RnnStepGrad<BFloat16>&, Stream);
template void rnn_step_grad<float>(const RnnStepGrad<float>&, Stream);
template void rnn_step_grad<double>(const RnnStepGrad<double>&, Stream);

}  // namespace minidl::cuda
