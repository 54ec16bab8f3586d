// The sum over a block.
#pragma once

#include "cuda/ptx/warp.h"

namespace minidl::cuda {

// The sum of `value` over the block's threads, in thread 0; elsewhere part of it. Added in a fixed
// order. The block is whole warps, numbered by `thread`; `partial` is shared memory for one value a
// warp, which must not be in use: a block that sums twice puts a barrier between.
template <class T>
__device__ __forceinline__ T block_sum(T value, T* partial, int thread, int threads) {
  const int warps = threads / warp_size;
  value = warp_sum(value);
  if (warps == 1) return value;
  if (thread % warp_size == 0) partial[thread / warp_size] = value;
  __syncthreads();
  if (thread < warp_size) value = warp_sum(thread < warps ? partial[thread] : T(0));
  return value;
}

}  // namespace minidl::cuda
