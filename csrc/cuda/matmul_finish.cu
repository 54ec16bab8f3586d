// The second kernel of a product whose sums were split: adds the parts, first to last, and finishes
// the outputs.
#include "cuda/launch.h"
#include "cuda/matmul_tile.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------

constexpr int threads = 256;

// ---- Kernel -----------------------------------------------------------------------------------

template <class T>
__global__ void __launch_bounds__(threads) matmul_finish_kernel(MatmulOperands<T> o) {
  const std::int64_t matrix = o.m * o.n, count = matrix * o.batch.count;
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * threads + threadIdx.x;
  if (i >= count) return;
  accumulator_t<T> sum = 0;
  for (int split = 0; split < o.splits; ++split) sum += o.partials[split * count + i];
  const std::int64_t batch = i / matrix, m = i % matrix / o.n, n = i % o.n;
  const Offsets<4> at = o.batch.at(batch);
  MatmulSink<T>(o, {}, at).finish({sum}, m, n, 1);
}

// ---- Launcher ---------------------------------------------------------------------------------

}  // namespace

template <class T>
void matmul_finish(const MatmulOperands<T>& o, Stream stream) {
  const std::int64_t count = o.m * o.n * o.batch.count;
  launch("matmul_finish", matmul_finish_kernel<T>,
         {.grid = {(count + threads - 1) / threads}, .block = {threads}}, stream, o);
}

template void matmul_finish<float>(const MatmulOperands<float>&, Stream);
template void matmul_finish<double>(const MatmulOperands<double>&, Stream);
template void matmul_finish<Half>(const MatmulOperands<Half>&, Stream);
template void matmul_finish<BFloat16>(const MatmulOperands<BFloat16>&, Stream);

}  // namespace minidl::cuda
