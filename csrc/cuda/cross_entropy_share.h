// What the kernels cross_entropy_<algorithm>.cu share: who works on what, and sums over a block.
#pragma once

#include "cuda/block_sum.h"
#include "cuda/cross_entropy_kernels.h"
#include "cuda/fault_report.h"
#include "cuda/pack.h"
#include "cuda/ptx/unroll.h"
#include "cuda/reduce_ops.h"

namespace minidl::cuda {

// The sample that a thread works on, its first class, and how far it is to its next.
struct ClassShare {
  std::int64_t row, first;
  int step;
  bool leads;  // the one thread that writes what a sample has once

  __device__ __forceinline__ explicit ClassShare(const ClassConfig& config) {
    const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);
    row = blockIdx.x * static_cast<std::int64_t>(config.rows_per_block) + (config.across ? x : y);
    first = config.across ? y : x;
    step = config.threads_per_row;
    leads = first == 0;
  }
};

// The class of the sample at `row`, or -1 where it does not count.
template <class T>
__device__ __forceinline__ std::int64_t class_of(const ClassArrays<T>& a,
                                                 const Offsets<ClassArrays<T>::arrays>& row) {
  const std::int64_t found = a.target[row.in[a.at_target]];
  if (found == a.ignore_index) return -1;
  if (found >= 0 && found < a.classes) return found;
  report_fault(a.record, FaultKind::target, found, a.classes);
  return -1;
}

// Adds what the block's samples bring, one value by the leader of each, zeros elsewhere, in a fixed
// order, and writes both sums as the block's partial ones. All threads take part. `shared` holds
// two values a warp and is not in use.
template <class T>
__device__ __forceinline__ void write_partial(const ClassArrays<T>& a, accumulator_t<T> loss,
                                              accumulator_t<T> own, accumulator_t<T>* shared) {
  const int thread = static_cast<int>(threadIdx.x + blockDim.x * threadIdx.y);
  const int threads = static_cast<int>(blockDim.x * blockDim.y);
  loss = block_sum(loss, shared, thread, threads);
  own = block_sum(own, shared + warp_size, thread, threads);
  if (thread != 0) return;
  a.partial[blockIdx.x * 2] = static_cast<double>(loss);
  a.partial[blockIdx.x * 2 + 1] = static_cast<double>(own);
}

}  // namespace minidl::cuda
