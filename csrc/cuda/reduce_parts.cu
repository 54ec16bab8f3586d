// The second pass of a few long reductions: a warp combines the parts of one output.
#include "cuda/block_reduce.h"
#include "cuda/launch.h"
#include "cuda/reduce_kernels.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------

constexpr int outputs_per_block = 4;

// ---- Kernel -----------------------------------------------------------------------------------

template <class Op>
__global__ void __launch_bounds__(128) reduce_parts_kernel(ReduceArrays<Op> a, std::int64_t parts) {
  const std::int64_t index = blockIdx.x * static_cast<std::int64_t>(blockDim.y) + threadIdx.y;
  if (index >= a.outputs.count) return;  // whole warps
  typename Op::State state = a.op.identity();
  for (std::int64_t part = threadIdx.x; part < parts; part += warp_size)
    state = a.op.combine(state, a.partial[part * a.outputs.count + index]);
  state = warp_reduce(a.op, state);
  if (threadIdx.x == 0) a.output[a.outputs.at(index).in[1]] = a.op.finish(state);
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class Op>
void reduce_parts(const ReduceArrays<Op>& arrays, const ReduceConfig& config, Stream stream) {
  const std::int64_t blocks = (arrays.outputs.count + outputs_per_block - 1) / outputs_per_block;
  launch("reduce_parts", reduce_parts_kernel<Op>,
         {.grid = {blocks}, .block = {warp_size, outputs_per_block}}, stream, arrays, config.parts);
}

#define MINIDL_INSTANCE(Op, T) \
  template void reduce_parts<Op<T>>(const ReduceArrays<Op<T>>&, const ReduceConfig&, Stream);
MINIDL_REDUCTIONS(MINIDL_INSTANCE)
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
