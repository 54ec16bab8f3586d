// Scans whose elements lie far apart while the rows are neighbours in memory, and very short ones:
// a thread scans a row. A row cut into parts takes two passes, as in scan_along.cu.
#include "cuda/launch.h"
#include "cuda/ptx/unroll.h"
#include "cuda/scan_kernels.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------

constexpr int loads_ahead = 4;  // elements that a thread asks for before it waits for the first

// ---- Kernel -----------------------------------------------------------------------------------

template <class Op>
__global__ void __launch_bounds__(128) scan_across_kernel(ScanArrays<Op> a) {
  const std::int64_t row = blockIdx.x * static_cast<std::int64_t>(blockDim.x) + threadIdx.x;
  if (row >= a.rows.count) return;
  const Offsets<3> at = a.rows.at(row);
  const std::int64_t first = blockIdx.y * a.part_length;
  const std::int64_t end = first + a.part_length < a.length ? first + a.part_length : a.length;
  typename Op::State state = a.op.identity();
  if (a.totals && !a.totals_only) {
    for (unsigned part = 0; part < blockIdx.y; ++part)
      state = a.op.combine(state, a.totals[part * a.rows.count + row]);
  }
  for (std::int64_t i = first; i < end; i += loads_ahead) {
    typename Op::State ahead[loads_ahead];
    MINIDL_UNROLL
    for (int n = 0; n < loads_ahead; ++n)
      ahead[n] = i + n < end ? a.load(at, i + n) : a.op.identity();
    MINIDL_UNROLL
    for (int n = 0; n < loads_ahead; ++n) {
      state = a.op.combine(state, ahead[n]);
      if (!a.totals_only && i + n < end) a.store(at, i + n, state);
    }
  }
  if (a.totals_only) a.totals[blockIdx.y * a.rows.count + row] = state;
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class Op>
void scan_across(const ScanArrays<Op>& arrays, const ScanConfig& config, Stream stream) {
  const std::int64_t blocks =
      (arrays.rows.count + config.rows_per_block - 1) / config.rows_per_block;
  launch("scan_across", scan_across_kernel<Op>,
         {.grid = {blocks, config.parts}, .block = {config.rows_per_block}}, stream, arrays);
}

#define MINIDL_INSTANCE(Op, T) \
  template void scan_across<Op<T>>(const ScanArrays<Op<T>>&, const ScanConfig&, Stream);
MINIDL_SCANS(MINIDL_INSTANCE)
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
