// The combined value of a warp and of a block.
#pragma once

#include "cuda/ptx/warp.h"

namespace minidl::cuda {

// In every lane, combined in the same order.
template <class Op, class State>
__device__ __forceinline__ State warp_reduce(const Op& op, State state) {
  for (int mask = warp_size / 2; mask > 0; mask /= 2)
    state = op.combine(state, shuffle_xor(state, mask));
  return state;
}

// In thread 0; elsewhere part of it. The block is whole warps, numbered by `thread`; `partial` is
// shared memory for one value a warp, which must not be in use: a block that reduces twice puts a
// barrier between.
template <class Op, class State>
__device__ __forceinline__ State block_reduce(const Op& op, State state, State* partial, int thread,
                                              int threads) {
  const int warps = threads / warp_size;
  state = warp_reduce(op, state);
  if (warps == 1) return state;
  if (thread % warp_size == 0) partial[thread / warp_size] = state;
  __syncthreads();
  if (thread < warp_size) state = warp_reduce(op, thread < warps ? partial[thread] : op.identity());
  return state;
}

// In every thread; otherwise as block_reduce.
template <class Op, class State>
__device__ __forceinline__ State block_reduce_all(const Op& op, State state, State* partial,
                                                  int thread, int threads) {
  const int warps = threads / warp_size, lane = thread % warp_size;
  state = warp_reduce(op, state);
  if (warps == 1) return state;
  if (lane == 0) partial[thread / warp_size] = state;
  __syncthreads();
  return warp_reduce(op, lane < warps ? partial[lane] : op.identity());
}

}  // namespace minidl::cuda
