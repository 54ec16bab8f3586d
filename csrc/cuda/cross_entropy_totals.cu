// What cross entropy and nll_loss do once a sample without its classes, and the last sums.
#include "cuda/cross_entropy_share.h"
#include "cuda/launch.h"
#include "cuda/ptx/shared.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------

constexpr int threads = 1024;  // of the one block that ends the sums

// ---- Kernel -----------------------------------------------------------------------------------

template <class T>
__global__ void __launch_bounds__(nll_rows_per_block) nll_rows_kernel(ClassArrays<T> a) {
  using Real = accumulator_t<T>;
  const std::int64_t index =
      blockIdx.x * static_cast<std::int64_t>(nll_rows_per_block) + threadIdx.x;
  Real loss = 0, own = 0;
  if (index < a.rows.count) {
    const auto row = a.rows.at(index);
    const std::int64_t target = class_of(a, row);
    if (target >= 0) {
      own = a.weight_of(target);
      if (a.input)
        loss = -own * static_cast<Real>(a.input[row.in[a.at_input] + target * a.input_stride]);
    }
    if (a.loss) a.loss[row.in[a.at_loss]] = static_cast<T>(loss);
  }
  write_partial(a, loss, own, dynamic_shared<Real>());
}

template <class T>
__global__ void __launch_bounds__(threads)
    class_totals_kernel(ClassArrays<T> a, std::int64_t blocks) {
  double* shared = dynamic_shared<double>();
  const int thread = static_cast<int>(threadIdx.x);
  double loss = 0, own = 0;
  for (std::int64_t i = thread; i < blocks; i += threads) {
    loss += a.partial[i * 2];
    own += a.partial[i * 2 + 1];
  }
  loss = block_sum(loss, shared, thread, threads);
  own = block_sum(own, shared + warp_size, thread, threads);
  if (thread != 0) return;
  using Real = accumulator_t<T>;
  if (a.total) *a.total = static_cast<T>(static_cast<Real>(own));
  if (a.loss == nullptr || a.reduction == LossReduction::none) return;
  *a.loss =
      static_cast<T>(static_cast<Real>(a.reduction == LossReduction::mean ? loss / own : loss));
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T>
void nll_rows(const ClassArrays<T>& arrays, Stream stream) {
  launch("nll_rows", nll_rows_kernel<T>,
         {.grid = {nll_blocks(arrays.rows.count)},
          .block = {nll_rows_per_block},
          .shared_bytes = 2 * warp_size * sizeof(accumulator_t<T>)},
         stream, arrays);
}

template <class T>
void class_totals(const ClassArrays<T>& arrays, std::int64_t blocks, Stream stream) {
  launch("class_totals", class_totals_kernel<T>,
         {.grid = {1}, .block = {threads}, .shared_bytes = 2 * warp_size * sizeof(double)}, stream,
         arrays, blocks);
}

#define MINIDL_INSTANCE(T)                                  \
  template void nll_rows<T>(const ClassArrays<T>&, Stream); \
  template void class_totals<T>(const ClassArrays<T>&, std::int64_t, Stream);
MINIDL_INSTANCE(Half)
MINIDL_INSTANCE(BFloat16)
MINIDL_INSTANCE(float)
MINIDL_INSTANCE(double)
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
