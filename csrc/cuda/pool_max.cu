// Max pooling: a thread computes one window, or those of a pack of channels, or looks at what it
// remembers.
#include "cuda/launch.h"
#include "cuda/pack.h"
#include "cuda/pool_element.h"
#include "cuda/ptx/unroll.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// pool_threads and the order of the windows: pool_kernels.h

// ---- Kernel -----------------------------------------------------------------------------------

// The flat offset of the first tap inside the input: the winner while nothing is larger.
__device__ __forceinline__ int first_winner(const MaxPoolLayout& p, const Range (&taps)[3]) {
  int winner = 0;
  for (int d = 0; d < 3; ++d) {
    const int last = p.kernel.at[d] - 1;
    winner = winner * p.kernel.at[d] + (taps[d].first < last ? taps[d].first : last);
  }
  return winner;
}

template <class T, class Offset, int pack>
__global__ void __launch_bounds__(pool_threads) pool_max_kernel(MaxPool<T, Offset> a) {
  using Real = accumulator_t<T>;
  const MaxPoolLayout& p = a.layout;
  PoolElement e;
  if (!pool_element(p.order, e)) return;
  const Range taps[3] = {taps_inside(p, 0, e.at[0]), taps_inside(p, 1, e.at[1]),
                         taps_inside(p, 2, e.at[2])};
  PoolElement corner = e;
  for (int d = 0; d < 3; ++d) corner.at[d] = e.at[d] * p.stride.at[d] - p.padding.at[d];
  const T* input = a.input + corner.offset(p.input_strides);
  Real best[pack];
  int winner[pack];
  MINIDL_UNROLL
  for (int c = 0; c < pack; ++c) {
    best[c] = -INFINITY;
    winner[c] = first_winner(p, taps);
  }
  for (int t = taps[0].first; t < taps[0].end; ++t) {
    for (int r = taps[1].first; r < taps[1].end; ++r) {
      const T* row = input + t * p.dilation.at[0] * p.input_strides.at[0] +
                     r * p.dilation.at[1] * p.input_strides.at[1];
      for (int s = taps[2].first; s < taps[2].end; ++s) {
        const auto values =
            load_pack<Pack<T, pack>>(row + s * p.dilation.at[2] * p.input_strides.at[2]);
        MINIDL_UNROLL
        for (int c = 0; c < pack; ++c) {
          const Real value = static_cast<Real>(values[c]);
          if (value > best[c] || value != value) {  // a NaN wins, and only a later NaN beats it
            best[c] = value;
            winner[c] = (t * p.kernel.at[1] + r) * p.kernel.at[2] + s;
          }
        }
      }
    }
  }
  Pack<T, pack> largest;
  Pack<Offset, pack> offsets;
  MINIDL_UNROLL
  for (int c = 0; c < pack; ++c) {
    largest[c] = static_cast<T>(best[c]);
    offsets[c] = static_cast<Offset>(winner[c]);
  }
  store_pack(a.output + e.offset(p.output_strides), largest);
  store_pack(a.offsets + e.offset(p.offset_strides), offsets);
}

// Where tap number `winner` of window `e` lies; the image and channel stay.
__device__ __forceinline__ PoolElement place_of(const MaxPoolLayout& p, PoolElement e, int winner) {
  for (int d = 2; d >= 0; --d) {
    const int tap = winner % p.kernel.at[d];
    winner /= p.kernel.at[d];
    e.at[d] = e.at[d] * p.stride.at[d] - p.padding.at[d] + tap * p.dilation.at[d];
  }
  return e;
}

template <class T, class Offset>
__global__ void __launch_bounds__(pool_threads) pool_max_pick_kernel(MaxPoolGather<T, Offset> a) {
  const MaxPoolLayout& p = a.layout;
  PoolElement e;
  if (!pool_element(p.order, e)) return;
  const int winner = static_cast<int>(a.offsets[e.offset(p.offset_strides)]);
  const PoolElement place = place_of(p, e, winner);
  bool inside = true;
  for (int d = 0; d < 3; ++d) inside = inside && place.at[d] >= 0 && place.at[d] < p.size.at[d];
  a.output[e.offset(p.output_strides)] =
      inside ? a.input[place.offset(p.input_strides)] : static_cast<T>(0.0f);
}

template <class Offset>
__global__ void __launch_bounds__(pool_threads) pool_max_indices_kernel(MaxPoolIndices<Offset> a) {
  const MaxPoolLayout& p = a.layout;
  PoolElement e;
  if (!pool_element(p.order, e)) return;
  const int winner = static_cast<int>(a.offsets[e.offset(p.offset_strides)]);
  const PoolElement place = place_of(p, e, winner);
  std::int64_t flat = 0;
  for (int d = 0; d < 3; ++d) flat = flat * p.size.at[d] + place.at[d];
  a.indices[e.offset(p.output_strides)] = flat;
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T, class Offset>
void pool_max(const MaxPool<T, Offset>& a, Stream stream) {
  with_pack<T, has_packs<Offset>>(a.layout.order, [&](auto pack) {
    launch("pool_max", pool_max_kernel<T, Offset, pack>, pool_shape(a.layout.order), stream, a);
  });
}

template <class T, class Offset>
void pool_max_pick(const MaxPoolGather<T, Offset>& a, Stream stream) {
  launch("pool_max_pick", pool_max_pick_kernel<T, Offset>, pool_shape(a.layout.order), stream, a);
}

template <class Offset>
void pool_max_indices(const MaxPoolIndices<Offset>& a, Stream stream) {
  launch("pool_max_indices", pool_max_indices_kernel<Offset>, pool_shape(a.layout.order), stream,
         a);
}

#define MINIDL_INSTANCE(T, Offset)                                      \
  template void pool_max<T, Offset>(const MaxPool<T, Offset>&, Stream); \
  template void pool_max_pick<T, Offset>(const MaxPoolGather<T, Offset>&, Stream);
#define MINIDL_INSTANCES(T)        \
  MINIDL_INSTANCE(T, std::uint8_t) \
  MINIDL_INSTANCE(T, std::int32_t)
MINIDL_INSTANCES(Half)
MINIDL_INSTANCES(BFloat16)
MINIDL_INSTANCES(float)
MINIDL_INSTANCES(double)
#undef MINIDL_INSTANCES
#undef MINIDL_INSTANCE
template void pool_max_indices<std::uint8_t>(const MaxPoolIndices<std::uint8_t>&, Stream);
template void pool_max_indices<std::int32_t>(const MaxPoolIndices<std::int32_t>&, Stream);

}  // namespace minidl::cuda
