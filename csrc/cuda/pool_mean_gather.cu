// Gradient of mean pooling: a thread computes one element of the input's gradient (or those of a
// pack of channels), the sum of what the windows or bins that contain it give to each of their
// inputs.
#include "cuda/launch.h"
#include "cuda/pack.h"
#include "cuda/pool_element.h"
#include "cuda/ptx/unroll.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// pool_threads and the order of the elements: pool_kernels.h

// ---- Kernel -----------------------------------------------------------------------------------

template <class T, class Axis, int pack>
__global__ void __launch_bounds__(pool_threads) pool_mean_gather_kernel(MeanPool<T, Axis> a) {
  using Real = accumulator_t<T>;
  const MeanLayout<Axis>& p = a.layout;
  PoolElement e;
  if (!pool_element(p.order, e)) return;
  Range windows[3];
  for (int d = 0; d < 3; ++d) windows[d] = p.axis[d].windows(e.at[d]);
  const PoolStrides& strides = p.output_strides;
  const T* g = a.from + e.image * strides.image + e.channel * strides.channel;
  const Real divisor = static_cast<Real>(p.divisor);
  Real sum[pack] = {};
  for (int i = windows[0].first; i < windows[0].end; ++i) {
    const int depth = p.axis[0].count(i);
    for (int j = windows[1].first; j < windows[1].end; ++j) {
      const T* row = g + i * strides.at[0] + j * strides.at[1];
      const Real area = static_cast<Real>(depth) * static_cast<Real>(p.axis[1].count(j));
      for (int k = windows[2].first; k < windows[2].end; ++k) {
        const Real count = area * static_cast<Real>(p.axis[2].count(k));
        const auto values = load_pack<Pack<T, pack>>(row + k * strides.at[2]);
        MINIDL_UNROLL
        for (int c = 0; c < pack; ++c)
          sum[c] += static_cast<Real>(values[c]) / (divisor != 0 ? divisor : count);
      }
    }
  }
  Pack<T, pack> result;
  MINIDL_UNROLL
  for (int c = 0; c < pack; ++c) result[c] = static_cast<T>(sum[c]);
  store_pack(a.to + e.offset(p.input_strides), result);
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T, class Axis>
void pool_mean_gather(const MeanPool<T, Axis>& a, Stream stream) {
  with_pack<T, has_packs<Axis>>(a.layout.order, [&](auto pack) {
    launch("pool_mean_gather", pool_mean_gather_kernel<T, Axis, pack>, pool_shape(a.layout.order),
           stream, a);
  });
}

#define MINIDL_INSTANCES(T)                                                              \
  template void pool_mean_gather<T, WindowAxis>(const MeanPool<T, WindowAxis>&, Stream); \
  template void pool_mean_gather<T, BinAxis>(const MeanPool<T, BinAxis>&, Stream);
MINIDL_INSTANCES(Half)
MINIDL_INSTANCES(BFloat16)
MINIDL_INSTANCES(float)
MINIDL_INSTANCES(double)
#undef MINIDL_INSTANCES

}  // namespace minidl::cuda
