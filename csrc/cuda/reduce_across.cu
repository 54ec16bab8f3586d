// Reductions whose terms lie far apart while the outputs themselves are neighbours in memory, as
// over the rows of a matrix: a row of threads walks down together, each with its own output, and
// the rows of a block share the terms. Very short reductions too, whatever lies where.
#include "cuda/launch.h"
#include "cuda/ptx/shared.h"
#include "cuda/ptx/unroll.h"
#include "cuda/reduce_kernels.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// Rows of a block: reduce_select.h.

constexpr int loads_ahead = 4;  // terms that a thread asks for before it waits for the first

// ---- Kernel -----------------------------------------------------------------------------------

// The terms first, first + step, ... before `end`.
template <class Op>
__device__ __forceinline__ typename Op::State reduce_terms(const ReduceArrays<Op>& a,
                                                           const typename Op::Input* from,
                                                           std::int64_t first, std::int64_t end,
                                                           int step) {
  typename Op::State state = a.op.identity();
  std::int64_t i = first;
  if (a.terms.dims <= 1) {
    const std::int64_t stride = a.terms.stride[0][0];
    for (; i + (loads_ahead - 1) * step < end; i += loads_ahead * step) {
      typename Op::Input ahead[loads_ahead];
      MINIDL_UNROLL
      for (int n = 0; n < loads_ahead; ++n) ahead[n] = from[(i + n * step) * stride];
      MINIDL_UNROLL
      for (int n = 0; n < loads_ahead; ++n)
        state = a.op.combine(state, a.op.load(ahead[n], i + n * step));
    }
  }
  for (; i < end; i += step) state = a.op.combine(state, a.term(from, i));
  return state;
}

template <class Op>
__global__ void __launch_bounds__(256) reduce_across_kernel(ReduceArrays<Op> a) {
  using State = typename Op::State;
  State* partial = dynamic_shared<State>();  // [blockDim.y][blockDim.x]
  const std::int64_t index = blockIdx.x * static_cast<std::int64_t>(blockDim.x) + threadIdx.x;
  const bool active = index < a.outputs.count;
  const Offsets<2> at = active ? a.outputs.at(index) : Offsets<2>{};
  const std::int64_t end = active ? a.end_of_part(blockIdx.y) : 0;
  State state = reduce_terms(a, a.input + at.in[0], blockIdx.y * a.terms_per_part + threadIdx.y,
                             end, static_cast<int>(blockDim.y));
  partial[threadIdx.y * blockDim.x + threadIdx.x] = state;
  __syncthreads();
  if (threadIdx.y != 0 || !active) return;
  for (unsigned row = 1; row < blockDim.y; ++row)
    state = a.op.combine(state, partial[row * blockDim.x + threadIdx.x]);
  a.store(index, at.in[1], blockIdx.y, state);
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class Op>
void reduce_across(const ReduceArrays<Op>& arrays, const ReduceConfig& config, Stream stream) {
  const std::int64_t blocks =
      (arrays.outputs.count + config.outputs_per_block - 1) / config.outputs_per_block;
  launch("reduce_across", reduce_across_kernel<Op>,
         {.grid = {blocks, config.parts},
          .block = {config.outputs_per_block, config.threads_per_output},
          .shared_bytes =
              config.outputs_per_block * config.threads_per_output * sizeof(typename Op::State)},
         stream, arrays);
}

#define MINIDL_INSTANCE(Op, T) \
  template void reduce_across<Op<T>>(const ReduceArrays<Op<T>>&, const ReduceConfig&, Stream);
MINIDL_REDUCTIONS(MINIDL_INSTANCE)
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
