#include "cuda/reduce.h"

#include "cuda/reduce_kernels.h"
#include "cuda/walk_plan.h"

namespace minidl::cuda {
namespace {

constexpr std::int64_t state_words = 2;  // of 8 bytes, enough for the state of every operation

template <int N>
std::int64_t smallest_step(const Walk<N>& walk) {
  return walk.dims == 0 ? 0 : std::abs(walk.stride[walk.dims - 1][0]);
}

// Slowest axis of the input first, so that terms are read in memory order.
template <int N>
Walk<N> in_input_order(std::vector<WalkAxis<N>> axes) {
  std::stable_sort(axes.begin(), axes.end(), [](const WalkAxis<N>& a, const WalkAxis<N>& b) {
    return std::abs(a.stride[0]) > std::abs(b.stride[0]);
  });
  return merge_axes(axes);
}

std::vector<bool> marked(const Array& input, const std::vector<std::int64_t>& dims) {
  std::vector<bool> reduced(input.shape.size());
  for (const std::int64_t dim : dims) {
    MINIDL_CHECK_INDEX(0 <= dim && dim < input.rank() && !reduced[dim], "reduce: dim ", dim,
                       " is out of range or named twice, for shape ", spell(input.shape));
    reduced[dim] = true;
  }
  return reduced;
}

struct Plan {
  Walk<2> outputs;
  Walk<1> terms;
  ReduceConfig config;
};

// `output` null: only what the input says, which is enough to choose the kernel.
Plan plan(const Array& input, const std::vector<bool>& reduced, const Array* output) {
  const bool kept_axes = output && output->rank() == input.rank();
  std::vector<WalkAxis<2>> kept;
  std::vector<WalkAxis<1>> gone;
  std::vector<std::int64_t> wanted;
  for (int d = 0; d < input.rank(); ++d) {
    const std::int64_t size = input.shape[d], stride = input.strides[d];
    if (reduced[d]) gone.push_back({size, {stride}});
    const std::size_t axis = kept_axes ? d : kept.size();
    if (!reduced[d] || kept_axes) wanted.push_back(reduced[d] ? 1 : size);
    if (!reduced[d]) {
      kept.push_back(
          {size, {stride, output && axis < output->strides.size() ? output->strides[axis] : 0}});
    }
  }
  if (output) check_shape("output", *output, wanted);
  const Walk<2> outputs = in_input_order(kept);
  const Walk<1> terms = in_input_order(gone);
  return {
      outputs, terms,
      select_reduce({outputs.count, terms.count, smallest_step(outputs), smallest_step(terms)})};
}

// As bool, but of a byte: numbers are compared with 0 by their bits.
bool is_byte(DType dtype) { return dtype == DType::boolean || dtype == DType::uint8; }

template <class Function>
void with_summed_type(const Array& input, Function&& fn) {
  if (input.dtype == DType::int64) return fn(std::int64_t{});
  with_floating_type("input", input, fn);
}
template <class Function>
void with_compared_type(const Array& input, Function&& fn) {
  if (is_byte(input.dtype)) return fn(std::uint8_t{});
  if (input.dtype == DType::int32) return fn(std::int32_t{});
  with_summed_type(input, fn);
}
template <class Function>
void with_truth_type(const Array& input, Function&& fn) {
  if (input.dtype == DType::int8) return fn(std::uint8_t{});
  with_compared_type(input, fn);
}

// Calls fn(Op{}) with the operation for the input's elements.
template <class Function>
void with_operation(Reduction reduction, const Array& input, Function&& fn) {
  const auto call = [&fn]<template <class> class Op>(auto... members) {
    return [&fn, members...](auto zero) { fn(Op<decltype(zero)>{members...}); };
  };
  switch (reduction) {
    case Reduction::sum:
      return with_summed_type(input, call.template operator()<SumOp>());
    case Reduction::sum_squares:
      return with_floating_type("input", input, call.template operator()<SumSquaresOp>());
    case Reduction::prod:
      return with_summed_type(input, call.template operator()<ProdOp>());
    case Reduction::amax:
    case Reduction::amin:
      return with_compared_type(input,
                                call.template operator()<ExtremeOp>(reduction == Reduction::amin));
    case Reduction::argmax:
    case Reduction::argmin:
      return with_compared_type(input,
                                call.template operator()<PlaceOp>(reduction == Reduction::argmin));
    case Reduction::any:
    case Reduction::all:
      return with_truth_type(input, call.template operator()<TruthOp>(reduction == Reduction::all));
    case Reduction::count_nonzero:
      return with_truth_type(input, call.template operator()<CountOp>());
    case Reduction::logsumexp:
      return with_floating_type("input", input, call.template operator()<LogSumExpOp>());
  }
}

DType result_dtype(Reduction reduction, DType input) {
  switch (reduction) {
    case Reduction::argmax:
    case Reduction::argmin:
    case Reduction::count_nonzero:
      return DType::int64;
    case Reduction::any:
    case Reduction::all:
      return DType::boolean;
    default:
      return input;
  }
}

bool has_neutral(Reduction reduction) {
  return reduction != Reduction::amax && reduction != Reduction::amin &&
         reduction != Reduction::argmax && reduction != Reduction::argmin;
}

}  // namespace

std::int64_t reduce_workspace(const Array& input, const std::vector<std::int64_t>& dims) {
  const Plan planned = plan(input, marked(input, dims), nullptr);
  const std::int64_t parts = planned.config.parts;
  return parts == 1 ? 0 : parts * planned.outputs.count * state_words;
}

void reduce(Reduction reduction, const Array& input, const std::vector<std::int64_t>& dims,
            const Array& output, const Array* workspace, Stream stream) {
  check_dtype("output", output, result_dtype(reduction, input.dtype));
  const Plan planned = plan(input, marked(input, dims), &output);
  const ReduceConfig& config = planned.config;
  MINIDL_CHECK(planned.terms.count > 0 || planned.outputs.count == 0 || has_neutral(reduction),
               "an array of shape ", spell(input.shape), " has no largest or smallest element");
  if (config.parts > 1) {
    const std::int64_t wanted = config.parts * planned.outputs.count * state_words;
    MINIDL_CHECK(workspace && workspace->rank() == 1 && workspace->shape[0] >= wanted &&
                     workspace->strides[0] == 1,
                 "a reduction of shape ", spell(input.shape), " wants a workspace of ", wanted,
                 " elements");
    check_dtype("workspace", *workspace, DType::float64);
  }
  with_operation(reduction, input, [&](auto op) {
    using Op = decltype(op);
    static_assert(sizeof(typename Op::State) <= state_words * 8);
    const ReduceArrays<Op> arrays{
        .op = op,
        .input = input.as<const typename Op::Input>(),
        .output = output.as<typename Op::Output>(),
        .partial = config.parts > 1 ? workspace->as<typename Op::State>() : nullptr,
        .outputs = planned.outputs,
        .terms = planned.terms,
        .terms_per_part = (planned.terms.count + config.parts - 1) / config.parts};
    config.algorithm == ReduceConfig::along ? reduce_along(arrays, config, stream)
                                            : reduce_across(arrays, config, stream);
    if (config.parts > 1) reduce_parts(arrays, config, stream);
  });
}

}  // namespace minidl::cuda
