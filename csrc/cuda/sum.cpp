#include "cuda/sum.h"

#include "cuda/sum_kernels.h"
#include "cuda/walk_plan.h"

namespace minidl::cuda {
namespace {

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

// A dense array of `shape` at `data`.
Array dense(void* data, DType dtype, const std::vector<std::int64_t>& shape) {
  Array array{data, dtype, shape, std::vector<std::int64_t>(shape.size())};
  std::int64_t step = 1;
  for (std::size_t d = shape.size(); d-- > 0; step *= shape[d]) array.strides[d] = step;
  return array;
}

std::vector<bool> marked(const Array& input, const std::vector<std::int64_t>& dims) {
  std::vector<bool> reduced(input.shape.size());
  for (const std::int64_t dim : dims) {
    MINIDL_CHECK_INDEX(0 <= dim && dim < input.rank() && !reduced[dim], "sum: dim ", dim,
                       " is out of range or named twice, for shape ", spell(input.shape));
    reduced[dim] = true;
  }
  return reduced;
}

std::vector<std::int64_t> kept_shape(const Array& input, const std::vector<bool>& reduced) {
  std::vector<std::int64_t> shape;
  for (int d = 0; d < input.rank(); ++d) {
    if (!reduced[d]) shape.push_back(input.shape[d]);
  }
  return shape;
}

struct Plan {
  Walk<2> outputs;
  Walk<1> terms;
  SumConfig config;
};

Plan plan(const Array& input, const std::vector<bool>& reduced, const Array& output) {
  std::vector<WalkAxis<2>> kept;
  std::vector<WalkAxis<1>> gone;
  for (int d = 0; d < input.rank(); ++d) {
    const std::int64_t size = input.shape[d], stride = input.strides[d];
    if (reduced[d]) {
      gone.push_back({size, {stride}});
    } else {
      kept.push_back({size, {stride, output.strides[kept.size()]}});
    }
  }
  const Walk<2> outputs = in_input_order(kept);
  const Walk<1> terms = in_input_order(gone);
  return {outputs, terms,
          select_sum({outputs.count, terms.count, smallest_step(outputs), smallest_step(terms)})};
}

void run(const Array& input, const Array& output, const Plan& plan, Stream stream) {
  const SumConfig& config = plan.config;
  with_float_type("input", input, [&](auto zero) {
    using T = decltype(zero);
    const SumArrays<T> arrays{
        .input = input.as<const T>(),
        .output = output.as<T>(),
        .outputs = plan.outputs,
        .terms = plan.terms,
        .terms_per_part = (plan.terms.count + config.parts - 1) / config.parts,
        .part_stride = plan.outputs.count};
    config.algorithm == SumConfig::along ? sum_along<T>(arrays, config, stream)
                                         : sum_across<T>(arrays, config, stream);
  });
}

}  // namespace

std::int64_t sum_workspace(const Array& input, const std::vector<std::int64_t>& dims) {
  const std::vector<bool> reduced = marked(input, dims);
  const Plan planned =
      plan(input, reduced, dense(nullptr, input.dtype, kept_shape(input, reduced)));
  return planned.config.parts == 1 ? 0 : planned.config.parts * planned.outputs.count;
}

void sum(const Array& input, const std::vector<std::int64_t>& dims, const Array& output,
         const Array* workspace, Stream stream) {
  check_dtype("output", output, input.dtype);
  const std::vector<bool> reduced = marked(input, dims);
  check_shape("output", output, kept_shape(input, reduced));
  const Plan planned = plan(input, reduced, output);
  const std::int64_t parts = planned.config.parts;
  if (parts == 1) return run(input, output, planned, stream);

  const std::int64_t wanted = parts * planned.outputs.count;
  MINIDL_CHECK(workspace && workspace->rank() == 1 && workspace->shape[0] >= wanted &&
                   workspace->strides[0] == 1,
               "sum of shape ", spell(input.shape), " wants a workspace of ", wanted, " elements");
  check_dtype("workspace", *workspace, input.dtype);
  std::vector<std::int64_t> shape = output.shape;
  const Array partial = dense(workspace->data, input.dtype, shape);
  run(input, partial, plan(input, reduced, partial), stream);
  shape.insert(shape.begin(), parts);
  sum(dense(workspace->data, input.dtype, shape), {0}, output, nullptr, stream);
}

}  // namespace minidl::cuda
