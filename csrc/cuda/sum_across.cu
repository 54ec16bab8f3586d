// Sums whose terms lie far apart while the sums themselves are neighbours in memory, as over the
// rows of a matrix: a row of threads walks down together, each adding its own sum, and the rows of
// a block share the terms.
#include "cuda/launch.h"
#include "cuda/ptx/shared.h"
#include "cuda/sum_kernels.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// Rows of a block: sum_select.h.

// ---- Kernel -----------------------------------------------------------------------------------

template <class T>
__global__ void __launch_bounds__(256) sum_across_kernel(SumArrays<T> a) {
  T* partial = dynamic_shared<T>();  // [blockDim.y][blockDim.x]
  const std::int64_t sum = blockIdx.x * static_cast<std::int64_t>(blockDim.x) + threadIdx.x;
  const bool active = sum < a.outputs.count;
  const Offsets<2> at = active ? a.outputs.at(sum) : Offsets<2>{};
  const TermRange terms = terms_of_part(a, blockIdx.y);
  T value = 0;
  for (std::int64_t i = terms.first + threadIdx.y; active && i < terms.end; i += blockDim.y) {
    value += a.input[at.in[0] + term_offset(a.terms, i)];
  }
  partial[threadIdx.y * blockDim.x + threadIdx.x] = value;
  __syncthreads();
  if (threadIdx.y != 0 || !active) return;
  for (unsigned row = 1; row < blockDim.y; ++row) value += partial[row * blockDim.x + threadIdx.x];
  a.output[at.in[1] + blockIdx.y * a.part_stride] = value;
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T>
void sum_across(const SumArrays<T>& arrays, const SumConfig& config, Stream stream) {
  const std::int64_t blocks =
      (arrays.outputs.count + config.sums_per_block - 1) / config.sums_per_block;
  launch("sum_across", sum_across_kernel<T>,
         {.grid = {blocks, config.parts},
          .block = {config.sums_per_block, config.threads_per_sum},
          .shared_bytes = config.sums_per_block * config.threads_per_sum * sizeof(T)},
         stream, arrays);
}

template void sum_across<float>(const SumArrays<float>&, const SumConfig&, Stream);
template void sum_across<double>(const SumArrays<double>&, const SumConfig&, Stream);

}  // namespace minidl::cuda
