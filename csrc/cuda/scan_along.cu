// Scans whose elements are neighbours in memory: a warp or a block takes a row tile by tile, and
// carries the total of what it has seen to the next tile. A row cut into parts takes two passes:
// the first writes the total of every part, the second starts each part with those before it.
#include <utility>

#include "cuda/block_reduce.h"
#include "cuda/launch.h"
#include "cuda/ptx/shared.h"
#include "cuda/ptx/unroll.h"
#include "cuda/scan_kernels.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// Threads a row and elements a thread: scan_select.h.

// ---- Kernel -----------------------------------------------------------------------------------

// Lane i gets what lanes 0 to i brought, combined.
template <class Op, class State>
__device__ __forceinline__ State warp_scan(const Op& op, State state, int lane) {
  for (int delta = 1; delta < warp_size; delta *= 2) {
    const State before = shuffle_up(state, static_cast<unsigned>(delta));
    if (lane >= delta) state = op.combine(before, state);
  }
  return state;
}

// The combined totals of the parts before this block's, in every thread. `warps` is shared memory
// for one state a warp.
template <class Op>
__device__ __forceinline__ typename Op::State totals_before(const ScanArrays<Op>& a,
                                                            std::int64_t row,
                                                            typename Op::State* warps) {
  typename Op::State state = a.op.identity();
  for (std::int64_t part = threadIdx.x; part < blockIdx.y; part += blockDim.x)
    state = a.op.combine(state, a.totals[part * a.rows.count + row]);
  state =
      block_reduce(a.op, state, warps, static_cast<int>(threadIdx.x), static_cast<int>(blockDim.x));
  __syncthreads();
  if (threadIdx.x == 0) warps[0] = state;
  __syncthreads();
  state = warps[0];
  __syncthreads();
  return state;
}

template <class Op>
__global__ void __launch_bounds__(256) scan_along_kernel(ScanArrays<Op> a) {
  using State = typename Op::State;
  const Op& op = a.op;
  const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  const int lane = thread % warp_size, warp = thread / warp_size, warps = threads / warp_size;
  // Two of a kind: while some warps read a tile's totals, others may be at the next tile.
  State* total_of_warp = dynamic_shared<State>();
  State* next_totals = total_of_warp + warps;
  const std::int64_t row = blockIdx.x * static_cast<std::int64_t>(blockDim.y) + threadIdx.y;
  if (row >= a.rows.count) return;  // whole warps: only blocks of a warp a row have several rows
  const Offsets<3> at = a.rows.at(row);
  const std::int64_t first = blockIdx.y * a.part_length;
  const std::int64_t end = first + a.part_length < a.length ? first + a.part_length : a.length;
  State carry = op.identity();
  if (a.totals && !a.totals_only) carry = totals_before(a, row, total_of_warp);
  for (std::int64_t tile = first; tile < end; tile += threads * scan_items) {
    const std::int64_t start = tile + thread * scan_items;
    State own[scan_items];
    MINIDL_UNROLL
    for (int k = 0; k < scan_items; ++k) {
      own[k] = start + k < end ? a.load(at, start + k) : op.identity();
    }
    MINIDL_UNROLL
    for (int k = 1; k < scan_items; ++k) own[k] = op.combine(own[k - 1], own[k]);
    const State through = warp_scan(op, own[scan_items - 1], lane);
    State before = shuffle_up(through, 1u);
    if (lane == 0) before = op.identity();
    State total = shuffle(through, warp_size - 1);
    before = op.combine(carry, before);
    if (warps > 1) {
      if (lane == 0) total_of_warp[warp] = total;
      __syncthreads();
      State in_front = op.identity();
      total = op.identity();
      for (int w = 0; w < warps; ++w) {
        if (w == warp) in_front = total;
        total = op.combine(total, total_of_warp[w]);
      }
      std::swap(total_of_warp, next_totals);
      before = op.combine(in_front, before);
    }
    MINIDL_UNROLL
    for (int k = 0; k < scan_items; ++k) {
      if (!a.totals_only && start + k < end) a.store(at, start + k, op.combine(before, own[k]));
    }
    carry = op.combine(carry, total);
  }
  if (a.totals_only && thread == 0) a.totals[blockIdx.y * a.rows.count + row] = carry;
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class Op>
void scan_along(const ScanArrays<Op>& arrays, const ScanConfig& config, Stream stream) {
  const std::int64_t blocks =
      (arrays.rows.count + config.rows_per_block - 1) / config.rows_per_block;
  launch("scan_along", scan_along_kernel<Op>,
         {.grid = {blocks, config.parts},
          .block = {config.threads_per_row, config.rows_per_block},
          .shared_bytes = warp_size * sizeof(typename Op::State)},
         stream, arrays);
}

#define MINIDL_INSTANCE(Op, T) \
  template void scan_along<Op<T>>(const ScanArrays<Op<T>>&, const ScanConfig&, Stream);
MINIDL_SCANS(MINIDL_INSTANCE)
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
