#include "cuda/matmul.h"

#include <cstdlib>
#include <utility>

#include "cuda/device.h"
#include "cuda/matmul_kernels.h"
#include "cuda/matmul_wgmma.h"
#include "cuda/walk_plan.h"

namespace minidl::cuda {
namespace {

// A stack of matrices: the leading axes, and the last two apart.
struct Stack {
  Array batch;
  std::int64_t rows, columns, row_stride, column_stride;

  explicit Stack(const Array& array)
      : batch(array),
        rows(array.shape.end()[-2]),
        columns(array.shape.back()),
        row_stride(array.strides.end()[-2]),
        column_stride(array.strides.back()) {
    batch.shape.resize(array.shape.size() - 2);
    batch.strides.resize(array.strides.size() - 2);
  }
  void transpose() {
    std::swap(rows, columns);
    std::swap(row_stride, column_stride);
  }
};

void check(const Array& a, const Array& b, const Array& out) {
  MINIDL_CHECK(a.rank() >= 2 && b.rank() >= 2 && out.rank() >= 2,
               "matmul takes matrices, got shapes ", spell(a.shape), " and ", spell(b.shape));
  check_dtype("b", b, a.dtype);
  check_dtype("out", out, a.dtype);
  const auto rows = [](const Array& x) { return x.shape[x.shape.size() - 2]; };
  const auto columns = [](const Array& x) { return x.shape.back(); };
  MINIDL_CHECK(columns(a) == rows(b), "matmul of shapes ", spell(a.shape), " and ", spell(b.shape),
               ": the inner sizes ", columns(a), " and ", rows(b), " differ");
  MINIDL_CHECK(columns(a) < (std::int64_t{1} << 31) - 1024,
               "matmul sums at most 2^31 - 1024 products, got ", columns(a));
  MINIDL_CHECK(rows(out) == rows(a) && columns(out) == columns(b), "matmul of shapes ",
               spell(a.shape), " and ", spell(b.shape), " cannot be written to shape ",
               spell(out.shape));
}

MatmulLayout layout(const Stack& x, std::int64_t rows, std::int64_t row_stride, std::int64_t depth,
                    std::int64_t k_stride) {
  constexpr std::int64_t pack_bytes = 16;
  const std::int64_t item = item_bytes(x.batch.dtype);
  MatmulLayout found;
  // An axis of one element has no stride to speak of.
  const std::int64_t along_k = depth == 1 ? INT64_MAX : std::abs(k_stride);
  const std::int64_t along_rows = rows == 1 ? INT64_MAX : std::abs(row_stride);
  found.k_unit = along_k <= along_rows;
  const std::int64_t unit = found.k_unit ? k_stride : row_stride;
  const std::int64_t other = found.k_unit ? row_stride : k_stride;
  const std::int64_t others = found.k_unit ? rows : depth;
  found.aligned = unit == 1 && reinterpret_cast<std::uintptr_t>(x.batch.data) % pack_bytes == 0 &&
                  (others == 1 || other * item % pack_bytes == 0);
  for (std::size_t d = 0; d < x.batch.shape.size(); ++d) {
    found.aligned &= x.batch.shape[d] == 1 || x.batch.strides[d] * item % pack_bytes == 0;
  }
  return found;
}

struct Plan {
  Stack a, b, out;
  Stack addend;             // of out where there is none
  bool transposed = false;  // out^T = b^T a^T is computed instead
  Walk<4> walk;
  MatmulProblem problem;
  MatmulConfig config;

  Plan(const Array& first, const Array& second, const Array& to, const MatmulEpilogue& e, bool tf32)
      : a(first), b(second), out(to), addend(e.addend ? *e.addend : to) {
    // Kernels write along n, and a vector is on the left.
    transposed = b.columns == 1
                     ? a.rows != 1
                     : a.rows != 1 && std::abs(out.row_stride) < std::abs(out.column_stride);
    if (transposed) {
      std::swap(a, b);
      for (Stack* x : {&a, &b, &out, &addend}) x->transpose();
    }
    walk = plan_walk<4>(out.batch.shape, {&a.batch, &b.batch, &out.batch, &addend.batch});
    problem = {.batch = walk.count,
               .m = a.rows,
               .n = b.columns,
               .k = a.columns,
               .dtype = first.dtype,
               .a = layout(a, a.rows, a.row_stride, a.columns, a.column_stride),
               .b = layout(b, b.columns, b.column_stride, b.rows, b.row_stride),
               .plain = !e.addend && e.alpha == 1 && e.activation == Activation::none &&
                        !(e.bias && transposed),
               .tf32 = tf32,
               .capability = device_capability(),
               .multiprocessors = device_multiprocessors()};
    problem.tensor_maps = problem.capability == 90 && item_bytes(problem.dtype) == 2 &&
                          walk.dims <= 1 && takes_matmul_wgmma(stack(0), stack(1), stack(2));
    config = select_matmul(problem);
  }

  // a, b or out as [batch, rows, columns], where the leading axes merge into one.
  Array stack(int which) const {
    const Stack& x = which == 0 ? a : which == 1 ? b : out;
    const std::int64_t stride = walk.dims ? walk.stride[0][which] : 0;
    const std::int64_t count = which == 2 || stride ? walk.count : 1;
    return {x.batch.data,
            x.batch.dtype,
            {count, x.rows, x.columns},
            {stride, x.row_stride, x.column_stride}};
  }

  std::int64_t workspace() const {
    return config.splits > 1 ? config.splits * problem.batch * problem.m * problem.n : 0;
  }
};

// `array` broadcast to `shape`: strides of 0 along axes that it does not have.
Array broadcast_to(const char* name, const Array& array, const std::vector<std::int64_t>& shape) {
  MINIDL_CHECK(array.shape.size() <= shape.size(), name, " of shape ", spell(array.shape),
               " cannot be broadcast to ", spell(shape));
  Array result = array;
  const std::size_t missing = shape.size() - array.shape.size();
  result.shape.insert(result.shape.begin(), missing, 1);
  result.strides.insert(result.strides.begin(), missing, 0);
  for (std::size_t d = 0; d < shape.size(); ++d) {
    MINIDL_CHECK(result.shape[d] == shape[d] || result.shape[d] == 1, name, " of shape ",
                 spell(array.shape), " cannot be broadcast to ", spell(shape));
    if (result.shape[d] == 1) result.strides[d] = 0;
  }
  result.shape = shape;
  return result;
}

template <class T>
MatmulEpilogueOperands<T> epilogue(const MatmulEpilogue& e, const Plan& plan) {
  using A = accumulator_t<T>;
  MatmulEpilogueOperands<T> operands;
  operands.alpha = static_cast<A>(e.alpha);
  operands.activation = e.activation;
  if (e.bias) {
    const std::int64_t stride = e.bias->shape[0] == 1 ? 0 : e.bias->strides[0];
    operands.bias = e.bias->as<const T>();
    (plan.transposed ? operands.bias_m : operands.bias_n) = stride;
  }
  if (e.addend) {
    operands.beta = static_cast<A>(e.beta);
    operands.addend = e.addend->as<const T>();
    operands.addend_m = plan.addend.row_stride;
    operands.addend_n = plan.addend.column_stride;
  }
  return operands;
}

template <class T>
void run(const MatmulOperands<T>& operands, const MatmulConfig& config, Stream stream) {
  switch (config.algorithm) {
    case MatmulAlgorithm::vector:
      matmul_vector(operands, stream);
      break;
    case MatmulAlgorithm::mma:
      if constexpr (!std::is_same_v<T, double>) matmul_mma(operands, config.tile, stream);
      break;
    case MatmulAlgorithm::simt:
      if constexpr (!std::is_same_v<T, Half>) matmul_simt(operands, config.tile, stream);
      break;
    case MatmulAlgorithm::wgmma:
      break;  // matmul_wgmma.h, with arrays instead of operands
  }
  if (config.splits > 1) matmul_finish(operands, stream);
}

}  // namespace

void matmul(const Array& a, const Array& b, const Array& out, const MatmulOptions& options,
            Stream stream) {
  check(a, b, out);
  MatmulEpilogue e = options.epilogue;
  Array addend;
  if (e.bias) {
    check_rank("bias", *e.bias, 1);
    check_dtype("bias", *e.bias, a.dtype);
    broadcast_to("bias", *e.bias, out.shape);
  }
  if (e.addend) {
    check_dtype("addend", *e.addend, a.dtype);
    addend = broadcast_to("addend", *e.addend, out.shape);
    e.addend = &addend;
  }
  if (e.beta == 0) e.addend = nullptr;  // its NaN shall not matter, as in BLAS
  if (out.count() == 0) return;
  Plan plan(a, b, out, e, options.tf32);
  if (plan.config.algorithm == MatmulAlgorithm::wgmma) {
    const Array product = plan.stack(2);
    Array bias;
    if (e.bias) bias = broadcast_to("bias", *e.bias, {product.shape[2]});
    return matmul_wgmma(plan.stack(0), plan.stack(1), product, e.bias ? &bias : nullptr,
                        matmul_wgmma_config(product), stream);
  }
  const Array* workspace = options.workspace;
  if (plan.config.splits > 1 && !(workspace && workspace->count() >= plan.workspace())) {
    plan.config.splits = 1;
    plan.config.k_per_split = plan.problem.k;
  }
  with_floating_type("a", a, [&](auto zero) {
    using T = decltype(zero);
    using A = accumulator_t<T>;
    if (plan.config.splits > 1) {
      check_dtype("workspace", *workspace, sizeof(A) == 8 ? DType::float64 : DType::float32);
    }
    run<T>({.a = plan.a.batch.as<const T>(),
            .b = plan.b.batch.as<const T>(),
            .out = plan.out.batch.as<T>(),
            .m = plan.problem.m,
            .n = plan.problem.n,
            .k = plan.problem.k,
            .a_m = plan.a.row_stride,
            .a_k = plan.a.column_stride,
            .b_k = plan.b.row_stride,
            .b_n = plan.b.column_stride,
            .out_m = plan.out.row_stride,
            .out_n = plan.out.column_stride,
            .batch = plan.walk,
            .tiles_m = plan.config.tiles_m,
            .tiles_n = plan.config.tiles_n,
            .a_layout = plan.problem.a,
            .b_layout = plan.problem.b,
            .splits = plan.config.splits,
            .k_per_split = plan.config.k_per_split,
            .partials = plan.config.splits > 1 ? workspace->as<A>() : nullptr,
            .epilogue = epilogue<T>(e, plan)},
           plan.config, stream);
  });
}

MatmulConfig matmul_config(const Array& a, const Array& b, const Array& out, bool tf32) {
  check(a, b, out);
  return Plan(a, b, out, {}, tf32).config;
}

std::int64_t matmul_workspace(const Array& a, const Array& b, const Array& out, bool tf32) {
  check(a, b, out);
  return out.count() == 0 ? 0 : Plan(a, b, out, {}, tf32).workspace();
}

}  // namespace minidl::cuda
