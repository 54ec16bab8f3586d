#include "cpu/matmul.h"

#include "cpu/gemm_select.h"
#include "cpu/thread_pool.h"

namespace minidl::cpu {
namespace {

// Removes dimensions of extent 1 and joins neighbours that one stride describes in both operands.
template <typename T>
void join_batch(MatmulProblem<T>& p) {
  int kept = 0;
  for (int d = 0; d < p.rank; ++d) {
    const int64_t extent = p.batch[d];
    if (extent == 1) continue;
    const bool joins = kept > 0 && p.a_stride[kept - 1] == extent * p.a_stride[d] &&
                       p.b_stride[kept - 1] == extent * p.b_stride[d];
    const int to = joins ? kept - 1 : kept++;
    p.batch[to] = joins ? p.batch[to] * extent : extent;
    p.a_stride[to] = p.a_stride[d];
    p.b_stride[to] = p.b_stride[d];
  }
  p.rank = kept;
}

// One B for many A whose rows follow each other: a single tall product.
template <typename T>
void join_rows(MatmulProblem<T>& p) {
  while (p.rank > 0 && p.b_stride[p.rank - 1] == 0) {
    const int last = p.rank - 1;
    if (p.shape.M != 1 && p.a_stride[last] != p.shape.M * p.a.row) return;
    if (p.shape.M == 1) p.a.row = p.a_stride[last];
    p.shape.M *= p.batch[last];
    p.rank = last;
  }
}

template <typename T>
void multiply_one(const MatmulProblem<T>& p, int64_t index, bool parallel) {
  Matrix<T> a = p.a, b = p.b;
  int64_t rest = index;
  for (int d = p.rank - 1; d >= 0; --d) {
    const int64_t at = rest % p.batch[d];
    rest /= p.batch[d];
    a.data += at * p.a_stride[d];
    b.data += at * p.b_stride[d];
  }
  const GemmResult<T> result{p.c + index * p.shape.M * p.shape.N, p.shape.N, p.epilogue};
  const GemmKernels<T>& kernels = gemm_kernels<T>();
  (parallel ? kernels.multiply_parallel : kernels.multiply)(p.shape, a, b, result);
}

}  // namespace

template <typename T>
void matmul(MatmulProblem<T> p) {
  join_batch(p);
  join_rows(p);
  int64_t count = 1;
  for (int d = 0; d < p.rank; ++d) count *= p.batch[d];
  const BatchPlan plan = select_batch(count, p.shape, get_num_threads());
  if (plan.grain == 0) {
    for (int64_t i = 0; i < count; ++i) multiply_one(p, i, plan.parallel_products);
    return;
  }
  parallel_for(count, plan.grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) multiply_one(p, i, false);
  });
}

template void matmul<float>(MatmulProblem<float>);
template void matmul<double>(MatmulProblem<double>);

}  // namespace minidl::cpu
