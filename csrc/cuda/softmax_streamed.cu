// Softmax of rows that are longer than a block can hold: one pass for the row's result, which
// rescales what it has summed when a larger element comes, and one to write.
#include "cuda/block_reduce.h"
#include "cuda/launch.h"
#include "cuda/ptx/shared.h"
#include "cuda/softmax_kernels.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------

constexpr int loads_ahead = 4;  // elements that a thread asks for together where rows have gaps

// ---- Kernel -----------------------------------------------------------------------------------

template <class Op>
__global__ void __launch_bounds__(1024) softmax_streamed_kernel(SoftmaxArrays<Op> a) {
  using Real = typename Op::Real;
  using P = typename SoftmaxArrays<Op>::P;
  const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  const auto row = a.rows.at(blockIdx.x);
  const std::int64_t first_pack = static_cast<std::int64_t>(thread) * P::size;
  typename Op::State state = a.op.identity();
  if (a.packs) {
    for (std::int64_t i = first_pack; i < a.length; i += threads * P::size) {
      Real x[Op::sources][P::size];
      a.load_packed(row, i, x);
      state = a.op.combine(state, a.op.gather(x));
    }
  } else {
    for (std::int64_t i = thread; i < a.length; i += loads_ahead * threads) {
      Real x[Op::sources][loads_ahead];
      a.load(row, i, threads, x);
      state = a.op.combine(state, a.op.gather(x));
    }
  }
  state = a.op.settle(
      block_reduce_all(a.op, state, dynamic_shared<typename Op::State>(), thread, threads));
  if (a.packs) {
    for (std::int64_t i = first_pack; i < a.length; i += threads * P::size) {
      Real x[Op::sources][P::size];
      a.load_packed(row, i, x);
      a.store_packed(row, i, x, state);
    }
  } else {
    for (std::int64_t i = thread; i < a.length; i += loads_ahead * threads) {
      Real x[Op::sources][loads_ahead];
      a.load(row, i, threads, x);
      a.store(row, i, threads, x, state);
    }
  }
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class Op>
void softmax_streamed(const SoftmaxArrays<Op>& arrays, const SoftmaxConfig& config, Stream stream) {
  launch("softmax_streamed", softmax_streamed_kernel<Op>,
         {.grid = {arrays.rows.count},
          .block = {config.threads_per_row},
          .shared_bytes = warp_size * sizeof(typename Op::State)},
         stream, arrays);
}

#define MINIDL_INSTANCE(Op, T) \
  template void softmax_streamed<Op<T>>(const SoftmaxArrays<Op<T>>&, const SoftmaxConfig&, Stream);
MINIDL_SOFTMAXES(MINIDL_INSTANCE)
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
