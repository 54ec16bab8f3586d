// Mean pooling: a thread computes the mean of one window or bin, or the means of a window in a pack
// of channels.
#include "cuda/launch.h"
#include "cuda/pack.h"
#include "cuda/pool_element.h"
#include "cuda/ptx/unroll.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// pool_threads and the order of the windows: pool_kernels.h

// ---- Kernel -----------------------------------------------------------------------------------

template <class T, class Axis, int pack>
__global__ void __launch_bounds__(pool_threads) pool_mean_kernel(MeanPool<T, Axis> a) {
  using Real = accumulator_t<T>;
  const MeanLayout<Axis>& p = a.layout;
  PoolElement e;
  if (!pool_element(p.order, e)) return;
  Range inputs[3];
  Real count = 1;
  for (int d = 0; d < 3; ++d) {
    inputs[d] = p.axis[d].inputs(e.at[d]);
    count *= static_cast<Real>(p.axis[d].count(e.at[d]));
  }
  const Real divisor = p.divisor != 0 ? static_cast<Real>(p.divisor) : count;
  Real sum[pack] = {};
  PoolElement at = e;
  for (at.at[0] = inputs[0].first; at.at[0] < inputs[0].end; ++at.at[0]) {
    for (at.at[1] = inputs[1].first; at.at[1] < inputs[1].end; ++at.at[1]) {
      at.at[2] = 0;
      const T* row = a.from + at.offset(p.input_strides);
      // Four times, as the compiler would, spills.
      MINIDL_UNROLL_TWICE
      for (int x = inputs[2].first; x < inputs[2].end; ++x) {
        const auto values = load_pack<Pack<T, pack>>(row + x * p.input_strides.at[2]);
        MINIDL_UNROLL
        for (int c = 0; c < pack; ++c) sum[c] += static_cast<Real>(values[c]);
      }
    }
  }
  Pack<T, pack> means;
  MINIDL_UNROLL
  for (int c = 0; c < pack; ++c) means[c] = static_cast<T>(sum[c] / divisor);
  store_pack(a.to + e.offset(p.output_strides), means);
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T, class Axis>
void pool_mean(const MeanPool<T, Axis>& a, Stream stream) {
  with_pack<T, has_packs<Axis>>(a.layout.order, [&](auto pack) {
    launch("pool_mean", pool_mean_kernel<T, Axis, pack>, pool_shape(a.layout.order), stream, a);
  });
}

#define MINIDL_INSTANCES(T)                                                       \
  template void pool_mean<T, WindowAxis>(const MeanPool<T, WindowAxis>&, Stream); \
  template void pool_mean<T, BinAxis>(const MeanPool<T, BinAxis>&, Stream);
MINIDL_INSTANCES(Half)
MINIDL_INSTANCES(BFloat16)
MINIDL_INSTANCES(float)
MINIDL_INSTANCES(double)
#undef MINIDL_INSTANCES

}  // namespace minidl::cuda
