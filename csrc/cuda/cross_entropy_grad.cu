// The backward pass of cross entropy and of nll_loss: every element once, from the logarithms that
// the forward pass kept.
#include "cuda/cross_entropy_share.h"
#include "cuda/launch.h"
#include "cuda/ptx/shared.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// Threads a sample: cross_entropy_select.h.

// ---- Kernel -----------------------------------------------------------------------------------

// What the classes of a sample share. The logarithm in two parts, so that what is left of a large
// logit after it is subtracted is exact without arithmetic in float64.
template <class Real>
struct SampleGrad {
  std::int64_t target;  // -1 where ignored
  Real log_sum, rest;   // their sum is L
  Real slope, own, spread, scale;
  bool picked_only;  // of nll_loss
};

template <class T, class Real>
__device__ __forceinline__ T grad_of(const ClassArrays<T>& a, const SampleGrad<Real>& s,
                                     std::int64_t c, T x) {
  if (s.target < 0) return static_cast<T>(Real(0));
  const Real picked = c == s.target ? s.own : Real(0);
  if (s.picked_only) return static_cast<T>(c == s.target ? -picked * s.scale : Real(0));
  Real slope = std::exp((static_cast<Real>(x) - s.log_sum) - s.rest) * s.slope;
  if (s.spread > 0) slope -= s.spread * a.weight_of(c);
  return static_cast<T>((slope - picked) * s.scale);
}

template <class T>
__device__ __forceinline__ auto sample_grad(const ClassArrays<T>& a,
                                            const Offsets<ClassArrays<T>::arrays>& row,
                                            accumulator_t<T> weights) {
  using Real = accumulator_t<T>;
  SampleGrad<Real> s = {};
  s.picked_only = a.log_sums == nullptr;
  s.target = class_of(a, row);
  if (s.target < 0) return s;
  s.own = a.weight_of(s.target) * (1 - a.smoothing);
  s.spread = a.smoothing / static_cast<Real>(a.classes);
  s.slope = s.own + s.spread * weights;
  s.scale = static_cast<Real>(a.loss[row.in[a.at_loss]]);
  if (a.reduction == LossReduction::mean) s.scale /= static_cast<Real>(*a.total);
  if (s.picked_only) return s;
  const double log_sum = a.log_sums[row.in[a.at_log_sums]];
  s.log_sum = static_cast<Real>(log_sum);
  // Infinite ones leave no rest.
  s.rest = log_sum - log_sum == 0 ? static_cast<Real>(log_sum - static_cast<double>(s.log_sum))
                                  : Real(0);
  return s;
}

template <class T>
__global__ void __launch_bounds__(1024) cross_entropy_grad_kernel(ClassArrays<T> a) {
  using Real = accumulator_t<T>;
  using P = Pack<T>;
  const ClassShare share(a.config);
  Real weights = static_cast<Real>(a.classes);
  if (a.weight && a.smoothing > 0) {  // the sum of all weights, by every block for itself
    Real* shared = dynamic_shared<Real>();
    const int thread = static_cast<int>(threadIdx.x + blockDim.x * threadIdx.y);
    const int threads = static_cast<int>(blockDim.x * blockDim.y);
    weights = 0;
    for (std::int64_t c = thread; c < a.classes; c += threads) weights += a.weight_of(c);
    weights = block_sum(weights, shared, thread, threads);
    __syncthreads();
    if (thread == 0) shared[0] = weights;
    __syncthreads();
    weights = shared[0];
  }
  if (share.row >= a.rows.count) return;
  const auto row = a.rows.at(share.row);
  const auto sample = sample_grad(a, row, weights);
  const T* input = a.input ? a.input + row.in[a.at_input] : nullptr;
  T* output = a.output + row.in[a.at_output];
  if (a.packs) {
    for (std::int64_t c = share.first * P::size; c < a.classes; c += share.step * P::size) {
      P pack = {};
      if (input) pack = load_pack<P>(input + c);
      MINIDL_UNROLL
      for (int k = 0; k < P::size; ++k) pack[k] = grad_of(a, sample, c + k, pack[k]);
      store_pack(output + c, pack);
    }
    return;
  }
  for (std::int64_t c = share.first; c < a.classes; c += share.step) {
    const T x = input ? input[c * a.input_stride] : T{};
    output[c * a.output_stride] = grad_of(a, sample, c, x);
  }
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T>
void cross_entropy_grad(const ClassArrays<T>& arrays, Stream stream) {
  launch("cross_entropy_grad", cross_entropy_grad_kernel<T>,
         class_shape(arrays.config, arrays.rows.count, warp_size * sizeof(accumulator_t<T>)),
         stream, arrays);
}

#define MINIDL_INSTANCE(T) template void cross_entropy_grad<T>(const ClassArrays<T>&, Stream);
MINIDL_INSTANCE(Half)
MINIDL_INSTANCE(BFloat16)
MINIDL_INSTANCE(float)
MINIDL_INSTANCE(double)
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
