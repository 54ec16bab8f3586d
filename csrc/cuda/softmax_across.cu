// Softmax along an axis whose elements lie far apart while the rows themselves are neighbours in
// memory: neighbouring threads take neighbouring rows, and the threads of a row share its elements.
#include "cuda/launch.h"
#include "cuda/ptx/shared.h"
#include "cuda/softmax_kernels.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// Threads a row: softmax_select.h.

constexpr int loads_ahead = 4;  // elements that a thread asks for together

// ---- Kernel -----------------------------------------------------------------------------------

template <class Op>
__global__ void __launch_bounds__(256) softmax_across_kernel(SoftmaxArrays<Op> a) {
  using Real = typename Op::Real;
  using State = typename Op::State;
  State* partial = dynamic_shared<State>();  // [blockDim.y][blockDim.x]
  const std::int64_t index = blockIdx.x * static_cast<std::int64_t>(blockDim.x) + threadIdx.x;
  const bool active = index < a.rows.count;
  const auto row = a.rows.at(active ? index : 0);
  const std::int64_t end = active ? a.length : 0;
  const int step = static_cast<int>(blockDim.y);
  State state = a.op.identity();
  for (std::int64_t i = threadIdx.y; i < end; i += loads_ahead * step) {
    Real x[Op::sources][loads_ahead];
    a.load(row, i, step, x);
    state = a.op.combine(state, a.op.gather(x));
  }
  partial[threadIdx.y * blockDim.x + threadIdx.x] = state;
  __syncthreads();
  state = partial[threadIdx.x];
  for (unsigned y = 1; y < blockDim.y; ++y)
    state = a.op.combine(state, partial[y * blockDim.x + threadIdx.x]);
  state = a.op.settle(state);
  for (std::int64_t i = threadIdx.y; i < end; i += loads_ahead * step) {
    Real x[Op::sources][loads_ahead];
    a.load(row, i, step, x);
    a.store(row, i, step, x, state);
  }
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class Op>
void softmax_across(const SoftmaxArrays<Op>& arrays, const SoftmaxConfig& config, Stream stream) {
  launch(
      "softmax_across", softmax_across_kernel<Op>,
      {.grid = {(arrays.rows.count + config.rows_per_block - 1) / config.rows_per_block},
       .block = {config.rows_per_block, config.threads_per_row},
       .shared_bytes = config.rows_per_block * config.threads_per_row * sizeof(typename Op::State)},
      stream, arrays);
}

#define MINIDL_INSTANCE(Op, T) \
  template void softmax_across<Op<T>>(const SoftmaxArrays<Op<T>>&, const SoftmaxConfig&, Stream);
MINIDL_SOFTMAXES(MINIDL_INSTANCE)
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
