#include "cuda/elementwise.h"

#include "cuda/elementwise_kernels.h"
#include "cuda/walk_plan.h"

namespace minidl::cuda {
namespace {

template <class T, class Op, int Inputs>
void run(const Walk<Inputs + 1>& walk, const ElementwiseArrays<T, Inputs>& arrays, Stream stream) {
  const ElementwiseConfig config = select_elementwise(walk.count, walk.dims);
  if (config.algorithm == ElementwiseConfig::flat) {
    elementwise_flat<T, Op, Inputs>(walk, arrays, config, stream);
  } else {
    elementwise_strided<T, Op, Inputs>(walk, arrays, config, stream);
  }
}

}  // namespace

void elementwise(UnaryOp op, const Array& input, const Array& output, Stream stream) {
  check_dtype("output", output, input.dtype);
  const auto walk = plan_walk<2>(output.shape, {&input, &output});
  with_float_type("input", input, [&](auto zero) {
    using T = decltype(zero);
    const ElementwiseArrays<T, 1> arrays{{input.as<const T>()}, {}, output.as<T>()};
    switch (op) {
#define MINIDL_CASE(name, expression) \
  case UnaryOp::name:                 \
    return run<T, Unary<UnaryOp::name>, 1>(walk, arrays, stream);
      MINIDL_UNARY(MINIDL_CASE)
#undef MINIDL_CASE
    }
  });
}

void elementwise(BinaryOp op, const Operand& a, const Operand& b, const Array& output,
                 Stream stream) {
  if (!a.is_number()) check_dtype("a", a.array, output.dtype);
  if (!b.is_number()) check_dtype("b", b.array, output.dtype);
  const auto walk = plan_walk<3>(output.shape, {&a.array, &b.array, &output});
  with_float_type("output", output, [&](auto zero) {
    using T = decltype(zero);
    const ElementwiseArrays<T, 2> arrays{{a.array.as<const T>(), b.array.as<const T>()},
                                         {static_cast<T>(a.number), static_cast<T>(b.number)},
                                         output.as<T>()};
    switch (op) {
#define MINIDL_CASE(name, expression) \
  case BinaryOp::name:                \
    return run<T, Binary<BinaryOp::name>, 2>(walk, arrays, stream);
      MINIDL_BINARY(MINIDL_CASE)
#undef MINIDL_CASE
    }
  });
}

}  // namespace minidl::cuda
