// Gradient of max pooling: a thread computes one element of the input's gradient, or those of a
// pack of channels, by asking every window that has a tap there whether that tap won.
#include "cuda/launch.h"
#include "cuda/pack.h"
#include "cuda/pool_element.h"
#include "cuda/ptx/unroll.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// pool_threads and the order of the elements: pool_kernels.h

// ---- Kernel -----------------------------------------------------------------------------------

// The windows whose span contains `position` (counted from the padded start), in one dimension.
__device__ __forceinline__ Range windows_over(int position, int kernel, int stride, int dilation,
                                              int count) {
  const int before = position - dilation * (kernel - 1);
  const int last = position / stride;
  return {before <= 0 ? 0 : (before + stride - 1) / stride, last < count ? last + 1 : count};
}

template <class T, class Offset, int pack>
__global__ void __launch_bounds__(pool_threads) pool_max_gather_kernel(MaxPoolGrad<T, Offset> a) {
  using Real = accumulator_t<T>;
  const MaxPoolLayout& p = a.layout;
  PoolElement e;
  if (!pool_element(p.order, e)) return;
  int position[3];
  Range windows[3];
  for (int d = 0; d < 3; ++d) {
    position[d] = e.at[d] + p.padding.at[d];
    windows[d] =
        windows_over(position[d], p.kernel.at[d], p.stride.at[d], p.dilation.at[d], p.out.at[d]);
  }
  // The tap of window o that meets this element; -1 where the taps of a dilated window jump over.
  const auto tap = [&](int d, int o) {
    const int distance = position[d] - o * p.stride.at[d];
    return distance % p.dilation.at[d] == 0 ? distance / p.dilation.at[d] : -1;
  };
  Real sum[pack] = {};
  PoolElement window = e;
  for (int i = windows[0].first; i < windows[0].end; ++i) {
    const int t = tap(0, i);
    window.at[0] = i;
    for (int j = windows[1].first; t >= 0 && j < windows[1].end; ++j) {
      const int r = tap(1, j);
      window.at[1] = j;
      for (int k = windows[2].first; r >= 0 && k < windows[2].end; ++k) {
        const int s = tap(2, k);
        window.at[2] = k;
        const int wanted = (t * p.kernel.at[1] + r) * p.kernel.at[2] + s;
        if (s < 0) continue;
        const auto offsets =
            load_pack<Pack<Offset, pack>>(a.offsets + window.offset(p.offset_strides));
        const T* g = a.g + window.offset(p.output_strides);
        if constexpr (pack == 1) {
          if (static_cast<int>(offsets[0]) == wanted) sum[0] += static_cast<Real>(*g);
        } else {
          const auto values = load_pack<Pack<T, pack>>(g);
          MINIDL_UNROLL
          for (int c = 0; c < pack; ++c)
            sum[c] += static_cast<int>(offsets[c]) == wanted ? static_cast<Real>(values[c]) : 0;
        }
      }
    }
  }
  Pack<T, pack> result;
  MINIDL_UNROLL
  for (int c = 0; c < pack; ++c) result[c] = static_cast<T>(sum[c]);
  store_pack(a.input_grad + e.offset(p.input_strides), result);
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T, class Offset>
void pool_max_gather(const MaxPoolGrad<T, Offset>& a, Stream stream) {
  with_pack<T, has_packs<Offset>>(a.layout.order, [&](auto pack) {
    launch("pool_max_gather", pool_max_gather_kernel<T, Offset, pack>, pool_shape(a.layout.order),
           stream, a);
  });
}

#define MINIDL_INSTANCES(T)                                                                    \
  template void pool_max_gather<T, std::uint8_t>(const MaxPoolGrad<T, std::uint8_t>&, Stream); \
  template void pool_max_gather<T, std::int32_t>(const MaxPoolGrad<T, std::int32_t>&, Stream);
MINIDL_INSTANCES(Half)
MINIDL_INSTANCES(BFloat16)
MINIDL_INSTANCES(float)
MINIDL_INSTANCES(double)
#undef MINIDL_INSTANCES

}  // namespace minidl::cuda
