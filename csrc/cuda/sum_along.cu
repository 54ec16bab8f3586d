// Sums whose terms are neighbours in memory: a warp or a block adds the terms of one sum, each
// thread every n-th.
#include "cuda/block_sum.h"
#include "cuda/launch.h"
#include "cuda/ptx/shared.h"
#include "cuda/sum_kernels.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// Threads a sum: sum_select.h.

// ---- Kernel -----------------------------------------------------------------------------------

template <class T>
__global__ void __launch_bounds__(256) sum_along_kernel(SumArrays<T> a) {
  const std::int64_t sum = blockIdx.x * static_cast<std::int64_t>(blockDim.y) + threadIdx.y;
  if (sum >= a.outputs.count) return;  // whole warps: only blocks of one warp a sum have several
  const Offsets<2> at = a.outputs.at(sum);
  const TermRange terms = terms_of_part(a, blockIdx.y);
  T value = 0;
  for (std::int64_t i = terms.first + threadIdx.x; i < terms.end; i += blockDim.x) {
    value += a.input[at.in[0] + term_offset(a.terms, i)];
  }
  value = block_sum(value, dynamic_shared<T>(), static_cast<int>(threadIdx.x),
                    static_cast<int>(blockDim.x));
  if (threadIdx.x == 0) a.output[at.in[1] + blockIdx.y * a.part_stride] = value;
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T>
void sum_along(const SumArrays<T>& arrays, const SumConfig& config, Stream stream) {
  const std::int64_t blocks =
      (arrays.outputs.count + config.sums_per_block - 1) / config.sums_per_block;
  launch("sum_along", sum_along_kernel<T>,
         {.grid = {blocks, config.parts},
          .block = {config.threads_per_sum, config.sums_per_block},
          .shared_bytes = warp_size * sizeof(T)},
         stream, arrays);
}

template void sum_along<float>(const SumArrays<float>&, const SumConfig&, Stream);
template void sum_along<double>(const SumArrays<double>&, const SumConfig&, Stream);

}  // namespace minidl::cuda
