// Which element of its arrays a thread of a pooling kernel computes (with packs: the first of its
// channels), and the taps of its window.
#pragma once

#include <type_traits>

#include "cuda/launch.h"
#include "cuda/pack.h"
#include "cuda/pool_kernels.h"

namespace minidl::cuda {

// Element number `number` of a plane. A grid has fewer than 2^31 blocks, so 32 bits do for planes.
__device__ __forceinline__ PoolElement pool_element(const PoolOrder& order, unsigned plane,
                                                    int number) {
  PoolElement e;
  const int inner = order.inner.split(number);
  e.at[2] = order.columns.split(number);
  e.at[1] = order.rows.split(number);
  e.at[0] = number;
  e.image = plane / order.channels;
  e.channel = plane % order.channels + inner * order.pack;
  return e;
}

// The element of this thread; false where there is none.
__device__ __forceinline__ bool pool_element(const PoolOrder& order, PoolElement& e) {
  const int number =
      static_cast<int>(blockIdx.x % order.blocks) * pool_threads + static_cast<int>(threadIdx.x);
  if (number >= order.elements) return false;
  e = pool_element(order, blockIdx.x / order.blocks, number);
  return true;
}

// The taps of window `o` that lie inside the input, in dimension d.
__device__ __forceinline__ Range taps_inside(const MaxPoolLayout& p, int d, int o) {
  const int start = o * p.stride.at[d] - p.padding.at[d], dilation = p.dilation.at[d];
  const int room = p.size.at[d] - start;
  const int end = room <= 0 ? 0 : (room - 1) / dilation + 1;
  return {start >= 0 ? 0 : (-start - 1) / dilation + 1,
          end < p.kernel.at[d] ? end : p.kernel.at[d]};
}

// Calls fn(std::integral_constant) with the channels that a thread of the kernel takes: a pack,
// where there is one for its types (pool_pack).
template <class T, bool packs, class Function>
void with_pack(const PoolOrder& order, Function&& fn) {
  if constexpr (packs && sizeof(T) < 8) {
    if (order.pack > 1) return fn(std::integral_constant<int, Pack<T>::size>{});
  }
  fn(std::integral_constant<int, 1>{});
}

// A thread an element, or a pack.
inline LaunchShape pool_shape(const PoolOrder& order) {
  return {.grid = {order.blocks * order.planes}, .block = {pool_threads}};
}

}  // namespace minidl::cuda
