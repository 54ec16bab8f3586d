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

}  // namespace

void sum(const Array& input, const std::vector<std::int64_t>& dims, const Array& output,
         Stream stream) {
  check_dtype("output", output, input.dtype);
  std::vector<bool> reduced(input.shape.size());
  for (const std::int64_t dim : dims) {
    MINIDL_CHECK_INDEX(0 <= dim && dim < input.rank() && !reduced[dim], "sum: dim ", dim,
                       " is out of range or named twice, for shape ", spell(input.shape));
    reduced[dim] = true;
  }
  std::vector<std::int64_t> kept_shape;
  for (int d = 0; d < input.rank(); ++d) {
    if (!reduced[d]) kept_shape.push_back(input.shape[d]);
  }
  check_shape("output", output, kept_shape);
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
  const SumConfig config =
      select_sum({outputs.count, terms.count, smallest_step(outputs), smallest_step(terms)});
  with_float_type("input", input, [&](auto zero) {
    using T = decltype(zero);
    const SumArrays<T> arrays{input.as<const T>(), output.as<T>(), outputs, terms};
    config.algorithm == SumConfig::along ? sum_along<T>(arrays, config, stream)
                                         : sum_across<T>(arrays, config, stream);
  });
}

}  // namespace minidl::cuda
