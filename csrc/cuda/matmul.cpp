#include "cuda/matmul.h"

#include "cuda/matmul_kernels.h"
#include "cuda/walk_plan.h"

namespace minidl::cuda {
namespace {

// The leading axes of a stack of matrices.
Array leading(const Array& array) {
  Array batch = array;
  batch.shape.resize(array.shape.size() - 2);
  batch.strides.resize(array.strides.size() - 2);
  return batch;
}

void check(const Array& a, const Array& b, const Array& out) {
  MINIDL_CHECK(a.rank() >= 2 && b.rank() >= 2 && out.rank() >= 2,
               "matmul takes matrices, got shapes ", spell(a.shape), " and ", spell(b.shape));
  check_dtype("b", b, a.dtype);
  check_dtype("out", out, a.dtype);
  const auto rows = [](const Array& x) { return x.shape[x.shape.size() - 2]; };
  const auto columns = [](const Array& x) { return x.shape.back(); };
  MINIDL_CHECK(columns(a) == rows(b), "matmul of shapes ", spell(a.shape), " and ", spell(b.shape),
               ": the inner sizes ", columns(a), " and ", rows(b), " differ");
  MINIDL_CHECK(rows(out) == rows(a) && columns(out) == columns(b), "matmul of shapes ",
               spell(a.shape), " and ", spell(b.shape), " cannot be written to shape ",
               spell(out.shape));
}

}  // namespace

void matmul(const Array& a, const Array& b, const Array& out, Stream stream) {
  check(a, b, out);
  if (out.count() == 0) return;
  const Array batches[] = {leading(a), leading(b), leading(out)};
  const auto walk = plan_walk<3>(batches[2].shape, {&batches[0], &batches[1], &batches[2]});
  const MatmulProblem problem{walk.count, a.shape[a.shape.size() - 2], b.shape.back(),
                              a.shape.back()};
  const MatmulConfig config = select_matmul(problem);
  const auto stride = [](const Array& x, int from_end) {
    return x.strides[x.strides.size() - from_end];
  };
  with_float_type("a", a, [&](auto zero) {
    using T = decltype(zero);
    matmul_tiled<T>({.a = a.as<const T>(),
                     .b = b.as<const T>(),
                     .out = out.as<T>(),
                     .m = problem.m,
                     .n = problem.n,
                     .k = problem.k,
                     .a_m = stride(a, 2),
                     .a_k = stride(a, 1),
                     .b_k = stride(b, 2),
                     .b_n = stride(b, 1),
                     .out_m = stride(out, 2),
                     .out_n = stride(out, 1),
                     .batch = walk,
                     .tiles_m = config.tiles_m,
                     .tiles_n = config.tiles_n},
                    config, stream);
  });
}

}  // namespace minidl::cuda
