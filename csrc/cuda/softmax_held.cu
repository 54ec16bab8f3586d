// Softmax of rows that fit in the registers of a warp or a block: each element is read once.
#include "cuda/block_reduce.h"
#include "cuda/launch.h"
#include "cuda/ptx/shared.h"
#include "cuda/softmax_kernels.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// Threads a row: softmax_select.h; elements a thread: softmax_kernels.h.

// ---- Kernel -----------------------------------------------------------------------------------

template <class Op>
__global__ void __launch_bounds__(1024) softmax_held_kernel(SoftmaxArrays<Op> a) {
  using P = typename SoftmaxArrays<Op>::P;
  constexpr int groups = softmax_held_elements<typename Op::Element> / P::size;
  const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  const std::int64_t index = blockIdx.x * static_cast<std::int64_t>(blockDim.y) + threadIdx.y;
  if (index >= a.rows.count) return;  // whole warps: only blocks of a warp a row have several rows
  const auto row = a.rows.at(index);
  typename Op::Real x[groups][Op::sources][P::size];
  typename Op::State state = a.op.identity();
  MINIDL_UNROLL
  for (int n = 0; n < groups; ++n) {
    if (a.packs) {
      a.load_packed(row, static_cast<std::int64_t>(n * threads + thread) * P::size, x[n]);
    } else {
      a.load(row, n * P::size * threads + thread, threads, x[n]);
    }
  }
  MINIDL_UNROLL
  for (int n = 0; n < groups; ++n) state = a.op.combine(state, a.op.gather(x[n]));
  state = a.op.settle(
      block_reduce_all(a.op, state, dynamic_shared<typename Op::State>(), thread, threads));
  MINIDL_UNROLL
  for (int n = 0; n < groups; ++n) {
    if (a.packs) {
      a.store_packed(row, static_cast<std::int64_t>(n * threads + thread) * P::size, x[n], state);
    } else {
      a.store(row, n * P::size * threads + thread, threads, x[n], state);
    }
  }
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class Op>
void softmax_held(const SoftmaxArrays<Op>& arrays, const SoftmaxConfig& config, Stream stream) {
  launch("softmax_held", softmax_held_kernel<Op>,
         {.grid = {(arrays.rows.count + config.rows_per_block - 1) / config.rows_per_block},
          .block = {config.threads_per_row, config.rows_per_block},
          .shared_bytes = warp_size * sizeof(typename Op::State)},
         stream, arrays);
}

#define MINIDL_INSTANCE(Op, T) \
  template void softmax_held<Op<T>>(const SoftmaxArrays<Op<T>>&, const SoftmaxConfig&, Stream);
MINIDL_SOFTMAXES(MINIDL_INSTANCE)
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
