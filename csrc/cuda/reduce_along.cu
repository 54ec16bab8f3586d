// Reductions whose terms are neighbours in memory: a warp or a block combines the terms of one
// output, each thread every n-th pack of 16 bytes, or every n-th term where they have gaps.
#include "cuda/block_reduce.h"
#include "cuda/launch.h"
#include "cuda/pack.h"
#include "cuda/ptx/shared.h"
#include "cuda/ptx/unroll.h"
#include "cuda/reduce_kernels.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// Threads an output: reduce_select.h.

// Packs that a thread asks for before it waits for the first; large states take the registers.
template <class State>
constexpr int loads_ahead = sizeof(State) > 8 ? 1 : 2;

// ---- Kernel -----------------------------------------------------------------------------------

// The thread's share of the terms [first, end) of dense `from`, which need not start at a pack.
template <class Op>
__device__ __forceinline__ typename Op::State reduce_packs(const Op& op,
                                                           const typename Op::Input* from,
                                                           std::int64_t first, std::int64_t end) {
  using T = typename Op::Input;
  constexpr int ahead = loads_ahead<typename Op::State>;
  using P = Pack<T, pack_bytes / static_cast<int>(sizeof(T) < 2 ? 2 : sizeof(T))>;
  typename Op::State state = op.identity();
  const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  const std::int64_t past = reinterpret_cast<std::uintptr_t>(from + first) % sizeof(P) / sizeof(T);
  std::int64_t aligned = past == 0 ? first : first + P::size - past;
  if (aligned > end) aligned = end;
  for (std::int64_t i = first + thread; i < aligned; i += threads)
    state = op.combine(state, op.load(from[i], i));
  const std::int64_t packs = (end - aligned) / P::size;
  for (std::int64_t p = thread; p < packs; p += ahead * threads) {
    P pack[ahead];
    MINIDL_UNROLL
    for (int n = 0; n < ahead; ++n) {
      const std::int64_t at = p + n * threads;
      pack[n] = load_pack<P>(from + aligned + (at < packs ? at : p) * P::size);
    }
    MINIDL_UNROLL
    for (int n = 0; n < ahead; ++n) {
      const std::int64_t at = p + n * threads;
      if (at >= packs) break;
      MINIDL_UNROLL
      for (int k = 0; k < P::size; ++k)
        state = op.combine(state, op.load(pack[n][k], aligned + at * P::size + k));
    }
  }
  for (std::int64_t i = aligned + packs * P::size + thread; i < end; i += threads)
    state = op.combine(state, op.load(from[i], i));
  return state;
}

template <class Op>
__global__ void __launch_bounds__(256) reduce_along_kernel(ReduceArrays<Op> a) {
  const std::int64_t index = blockIdx.x * static_cast<std::int64_t>(blockDim.y) + threadIdx.y;
  if (index >= a.outputs.count)
    return;  // whole warps: only blocks of a warp an output have several
  const Offsets<2> at = a.outputs.at(index);
  const typename Op::Input* from = a.input + at.in[0];
  const std::int64_t first = blockIdx.y * a.terms_per_part, end = a.end_of_part(blockIdx.y);
  typename Op::State state = a.op.identity();
  if (a.terms.dims <= 1 && a.terms.stride[0][0] == 1) {
    state = reduce_packs(a.op, from, first, end);
  } else {
    for (std::int64_t i = first + threadIdx.x; i < end; i += blockDim.x)
      state = a.op.combine(state, a.term(from, i));
  }
  state = block_reduce(a.op, state, dynamic_shared<typename Op::State>(),
                       static_cast<int>(threadIdx.x), static_cast<int>(blockDim.x));
  if (threadIdx.x == 0) a.store(index, at.in[1], blockIdx.y, state);
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class Op>
void reduce_along(const ReduceArrays<Op>& arrays, const ReduceConfig& config, Stream stream) {
  const std::int64_t blocks =
      (arrays.outputs.count + config.outputs_per_block - 1) / config.outputs_per_block;
  launch("reduce_along", reduce_along_kernel<Op>,
         {.grid = {blocks, config.parts},
          .block = {config.threads_per_output, config.outputs_per_block},
          .shared_bytes = warp_size * sizeof(typename Op::State)},
         stream, arrays);
}

#define MINIDL_INSTANCE(Op, T) \
  template void reduce_along<Op<T>>(const ReduceArrays<Op<T>>&, const ReduceConfig&, Stream);
MINIDL_REDUCTIONS(MINIDL_INSTANCE)
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
