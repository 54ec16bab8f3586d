// Mean pooling with many inputs a window, down to one window an image (global pooling): a block
// computes the mean of one.
#include "cuda/block_sum.h"
#include "cuda/launch.h"
#include "cuda/pool_element.h"
#include "cuda/ptx/shared.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// pool_threads: pool_kernels.h

// ---- Kernel -----------------------------------------------------------------------------------

template <class T, class Axis>
__global__ void __launch_bounds__(pool_threads) pool_mean_wide_kernel(MeanPool<T, Axis> a) {
  using Real = accumulator_t<T>;
  Real* partial = dynamic_shared<Real>();  // [warps]
  const MeanLayout<Axis>& p = a.layout;
  const unsigned elements = p.order.elements;
  const PoolElement e =
      pool_element(p.order, blockIdx.x / elements, static_cast<int>(blockIdx.x % elements));
  Range inputs[3];
  int width[3];
  Real count = 1;
  for (int d = 0; d < 3; ++d) {
    inputs[d] = p.axis[d].inputs(e.at[d]);
    width[d] = inputs[d].end - inputs[d].first;
    count *= static_cast<Real>(p.axis[d].count(e.at[d]));
  }
  const int thread = static_cast<int>(threadIdx.x), taps = width[0] * width[1] * width[2];
  Real sum = 0;
  PoolElement at = e;
  for (int tap = thread; tap < taps; tap += pool_threads) {
    at.at[2] = inputs[2].first + tap % width[2];
    at.at[1] = inputs[1].first + tap / width[2] % width[1];
    at.at[0] = inputs[0].first + tap / width[2] / width[1];
    sum += static_cast<Real>(a.from[at.offset(p.input_strides)]);
  }
  sum = block_sum(sum, partial, thread, pool_threads);
  if (thread == 0) {
    a.to[e.offset(p.output_strides)] =
        static_cast<T>(sum / (p.divisor != 0 ? static_cast<Real>(p.divisor) : count));
  }
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T, class Axis>
void pool_mean_wide(const MeanPool<T, Axis>& a, Stream stream) {
  const PoolOrder& order = a.layout.order;
  launch("pool_mean_wide", pool_mean_wide_kernel<T, Axis>,
         {.grid = {order.elements * order.planes},
          .block = {pool_threads},
          .shared_bytes = pool_threads / warp_size * sizeof(accumulator_t<T>)},
         stream, a);
}

#define MINIDL_INSTANCES(T)                                                            \
  template void pool_mean_wide<T, WindowAxis>(const MeanPool<T, WindowAxis>&, Stream); \
  template void pool_mean_wide<T, BinAxis>(const MeanPool<T, BinAxis>&, Stream);
MINIDL_INSTANCES(Half)
MINIDL_INSTANCES(BFloat16)
MINIDL_INSTANCES(float)
MINIDL_INSTANCES(double)
#undef MINIDL_INSTANCES

}  // namespace minidl::cuda
