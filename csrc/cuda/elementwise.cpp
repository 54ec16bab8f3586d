#include "cuda/elementwise.h"

#include <type_traits>

#include "cuda/elementwise_kernels.h"
#include "cuda/walk_plan.h"

namespace minidl::cuda {

template <ElementwiseOp op>
constexpr ElementwiseRow row_of() {
  using Op = Elementwise<op>;
  using C = std::conditional_t<Op::kind == ElementwiseKind::integers, std::int64_t, float>;
  using Result =
      decltype(Op::apply(static_cast<const C*>(nullptr), static_cast<const C*>(nullptr)));
  return {Op::name, Op::inputs, Op::numbers, Op::kind, Op::path, std::is_same_v<Result, bool>};
}

ElementwiseRow elementwise_row(ElementwiseOp op) {
  switch (op) {
#define MINIDL_CASE(name, ...) \
  case ElementwiseOp::name:    \
    return row_of<ElementwiseOp::name>();
    MINIDL_ELEMENTWISE(MINIDL_CASE)
#undef MINIDL_CASE
  }
  throw std::logic_error("an elementwise operation without a row");
}

namespace {

// The dtype that stands for all that are computed alike.
DType family(DType dtype) {
  switch (dtype) {
    case DType::float16:
    case DType::bfloat16:
      return DType::float32;
    case DType::float32:
    case DType::float64:
    case DType::uint64:
      return dtype;
    default:
      return DType::int64;
  }
}

template <class C>
C value_of(const Number& number) {
  return std::is_floating_point_v<C> ? static_cast<C>(number.real) : static_cast<C>(number.whole);
}

template <class C, int Inputs>
void run(const ElementwiseRow& row, ElementwiseOp op, const Operand* inputs, const Number* numbers,
         const Array& output, Stream stream) {
  const Array* arrays[Inputs + 1];
  Place places[Inputs + 1];
  ElementwiseArguments<C, Inputs> arguments = {};
  for (int n = 0; n < Inputs; ++n) {
    arrays[n] = &inputs[n].array;
    arguments.input[n] = {inputs[n].array.data, inputs[n].array.dtype, false};
    arguments.value[n] = value_of<C>(inputs[n].number);
  }
  arrays[Inputs] = &output;
  for (int n = 0; n < row.numbers; ++n) arguments.number[n] = value_of<C>(numbers[n]);
  arguments.output = output.data;
  arguments.output_type = output.dtype;
  const Walk<Inputs + 1> walk = plan_walk<Inputs + 1>(output.shape, arrays);
  if (walk.count == 0) return;
  if constexpr (std::is_same_v<C, float>) {
    for (int n = 0; n <= Inputs; ++n) {
      places[n] = {reinterpret_cast<std::uintptr_t>(arrays[n]->data),
                   static_cast<int>(item_bytes(arrays[n]->dtype))};
    }
    if (row.path == ElementwisePath::hot && packs_fit(walk, places)) {
      for (int n = 0; n < Inputs; ++n) {
        arguments.input[n].repeated = walk.stride[walk.dims - 1][n] == 0;
      }
      const Walk<Inputs + 1> packs = in_packs(walk);
      const std::int64_t rest = walk.count - packs.count * elementwise_pack;
      const ElementwiseConfig config = select_elementwise(walk.count, true);
      if (elementwise_packed<Inputs>(op, packs, rest, arguments, config, stream)) return;
    }
  }
  elementwise_strided<C, Inputs>(op, walk, arguments, select_elementwise(walk.count, false),
                                 stream);
}

template <class C>
void run(const ElementwiseRow& row, ElementwiseOp op, const Operand* inputs, const Number* numbers,
         const Array& output, Stream stream) {
  MINIDL_CHECK_TYPE(computes<C>(row.kind), row.name, " does not take ", name(inputs[0].array.dtype),
                    " arrays");
  switch (row.inputs) {
    case 1:
      return run<C, 1>(row, op, inputs, numbers, output, stream);
    case 2:
      return run<C, 2>(row, op, inputs, numbers, output, stream);
    default:
      return run<C, 3>(row, op, inputs, numbers, output, stream);
  }
}

// The family of the inputs, which all share it.
DType common_family(const ElementwiseRow& row, const Operand* inputs, const Array& output) {
  const Array* first = nullptr;
  for (int n = 0; n < row.inputs; ++n) {
    if (inputs[n].is_number()) continue;
    if (!first) first = &inputs[n].array;
    MINIDL_CHECK_TYPE(family(inputs[n].array.dtype) == family(first->dtype), row.name,
                      " does not take ", name(first->dtype), " and ", name(inputs[n].array.dtype),
                      " arrays together");
  }
  MINIDL_CHECK(first, row.name, " must have an array among its operands");
  const bool fits =
      row.truth ? output.dtype == DType::boolean
                : family(output.dtype) == family(first->dtype) || output.dtype == DType::boolean;
  MINIDL_CHECK_TYPE(fits, row.name, " of ", name(first->dtype), " arrays does not give ",
                    name(output.dtype));
  return family(first->dtype);
}

}  // namespace

void elementwise(ElementwiseOp op, const Operand* inputs, const Number* numbers,
                 const Array& output, Stream stream) {
  const ElementwiseRow row = elementwise_row(op);
  switch (common_family(row, inputs, output)) {
    case DType::float32:
      return run<float>(row, op, inputs, numbers, output, stream);
    case DType::float64:
      return run<double>(row, op, inputs, numbers, output, stream);
    case DType::uint64:
      return run<std::uint64_t>(row, op, inputs, numbers, output, stream);
    default:
      return run<std::int64_t>(row, op, inputs, numbers, output, stream);
  }
}

}  // namespace minidl::cuda
