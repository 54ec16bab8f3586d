#include "cuda/softmax.h"

#include "cuda/softmax_kernels.h"
#include "cuda/walk_plan.h"

namespace minidl::cuda {
namespace {

// Runs `op` along `dim` of its sources and the output, which come last.
template <class Op>
void run(const Op& op, const Array* const (&all)[Op::sources + 1], std::int64_t dim,
         Stream stream) {
  using T = typename Op::Element;
  constexpr int n_arrays = Op::sources + 1;
  const Array& output = *all[Op::sources];
  if (output.count() == 0) return;
  SoftmaxArrays<Op> arrays = {};
  arrays.op = op;
  arrays.length = output.shape[dim];
  std::vector<WalkAxis<n_arrays>> axes;
  for (int d = 0; d < output.rank(); ++d) {
    if (d == dim) continue;
    WalkAxis<n_arrays> axis{output.shape[d], {}};
    for (int n = 0; n < n_arrays; ++n) axis.stride[n] = all[n]->strides[d];
    axes.push_back(axis);
  }
  std::stable_sort(axes.begin(), axes.end(), [](const auto& a, const auto& b) {
    return std::abs(a.stride[0]) > std::abs(b.stride[0]);
  });
  arrays.rows = merge_axes(axes);
  arrays.packs = arrays.length % Pack<T>::size == 0;
  for (int n = 0; n < n_arrays; ++n) {
    const Array& array = *all[n];
    arrays.stride[n] = array.strides[dim];
    arrays.packs = arrays.packs && is_aligned(array.as<T>()) && arrays.stride[n] == 1;
    for (int d = 0; d < arrays.rows.dims; ++d)
      arrays.packs = arrays.packs && arrays.rows.stride[d][n] % Pack<T>::size == 0;
    if (n < Op::sources) arrays.source[n] = array.as<const T>();
  }
  arrays.output = output.as<T>();
  const int dims = arrays.rows.dims;
  const SoftmaxConfig config = select_softmax(
      {arrays.rows.count, arrays.length, dims == 0 ? 0 : std::abs(arrays.rows.stride[dims - 1][0]),
       std::abs(arrays.stride[0]), softmax_held_elements<T>});
  if (config.algorithm == SoftmaxConfig::held) return softmax_held(arrays, config, stream);
  if (config.algorithm == SoftmaxConfig::streamed) return softmax_streamed(arrays, config, stream);
  softmax_across(arrays, config, stream);
}

void check(const Array& input, std::int64_t dim,
           std::initializer_list<std::pair<const char*, const Array*>> others) {
  MINIDL_CHECK_INDEX(0 <= dim && dim < input.rank(), "softmax: dim ", dim,
                     " is out of range for shape ", spell(input.shape));
  for (const auto& [name, other] : others) {
    check_dtype(name, *other, input.dtype);
    check_shape(name, *other, input.shape);
  }
}

}  // namespace

void softmax(const Array& input, std::int64_t dim, bool log, const Array& output, Stream stream) {
  check(input, dim, {{"output", &output}});
  with_floating_type("input", input, [&](auto zero) {
    run(SoftmaxOp<decltype(zero)>{log}, {&input, &output}, dim, stream);
  });
}

void softmax_backward(const Array& grad, const Array& output, std::int64_t dim, bool log,
                      const Array& grad_input, Stream stream) {
  check(grad, dim, {{"output", &output}, {"grad_input", &grad_input}});
  with_floating_type("grad", grad, [&](auto zero) {
    run(SoftmaxGradOp<decltype(zero)>{log}, {&grad, &output, &grad_input}, dim, stream);
  });
}

}  // namespace minidl::cuda
