#include "cuda/pool.h"

#include "bindings/cuda_array.h"
#include "bindings/registry.h"

namespace minidl::bindings::pool {
namespace {

using Sizes = std::vector<std::int64_t>;

void max_pool(const cuda::Array& input, const cuda::Array& output, const cuda::Array& offsets,
              const Sizes& kernel, const Sizes& stride, const Sizes& padding, const Sizes& dilation,
              std::uintptr_t queue) {
  cuda::max_pool(input, output, offsets, {kernel, stride, padding, dilation}, to_stream(queue));
}

void max_pool_grad(const cuda::Array& g, const cuda::Array& offsets, const cuda::Array& input_grad,
                   const Sizes& kernel, const Sizes& stride, const Sizes& padding,
                   const Sizes& dilation, std::uintptr_t queue) {
  cuda::max_pool_grad(g, offsets, input_grad, {kernel, stride, padding, dilation},
                      to_stream(queue));
}

void max_pool_gather(const cuda::Array& input, const cuda::Array& offsets,
                     const cuda::Array& output, const Sizes& kernel, const Sizes& stride,
                     const Sizes& padding, const Sizes& dilation, std::uintptr_t queue) {
  cuda::max_pool_gather(input, offsets, output, {kernel, stride, padding, dilation},
                        to_stream(queue));
}

void max_pool_indices(const cuda::Array& offsets, const cuda::Array& indices, const Sizes& size,
                      const Sizes& kernel, const Sizes& stride, const Sizes& padding,
                      const Sizes& dilation, std::uintptr_t queue) {
  cuda::max_pool_indices(offsets, indices, size, {kernel, stride, padding, dilation},
                         to_stream(queue));
}

using Mean = void(const cuda::Array&, const cuda::Array&, const cuda::MeanGeometry&, cuda::Stream);

template <Mean mean>
void over_windows(const cuda::Array& from, const cuda::Array& to, const Sizes& kernel,
                  const Sizes& stride, const Sizes& padding, bool count_include_pad,
                  const std::optional<std::int64_t>& divisor, std::uintptr_t queue) {
  mean(from, to, {{kernel, stride, padding, {}}, count_include_pad, divisor}, to_stream(queue));
}

template <Mean mean>
void over_bins(const cuda::Array& from, const cuda::Array& to, std::uintptr_t queue) {
  mean(from, to, {}, to_stream(queue));
}

void bin_maximum(const cuda::Array& input, const cuda::Array& output, const cuda::Array& indices,
                 std::uintptr_t queue) {
  cuda::bin_maximum(input, output, indices, to_stream(queue));
}

}  // namespace

MINIDL_REGISTER(pool) {
  using pybind11::arg;
  m.def("max_pool", &max_pool, "input -> output, offsets [N, C, *out]", arg("input"), arg("output"),
        arg("offsets"), arg("kernel"), arg("stride"), arg("padding"), arg("dilation"),
        arg("stream"));
  m.def("max_pool_grad", &max_pool_grad, "g, offsets -> input_grad [N, C, *size]", arg("g"),
        arg("offsets"), arg("input_grad"), arg("kernel"), arg("stride"), arg("padding"),
        arg("dilation"), arg("stream"));
  m.def("max_pool_gather", &max_pool_gather, "input, offsets -> output [N, C, *out]", arg("input"),
        arg("offsets"), arg("output"), arg("kernel"), arg("stride"), arg("padding"),
        arg("dilation"), arg("stream"));
  m.def("max_pool_indices", &max_pool_indices, "offsets -> indices [N, C, *out]", arg("offsets"),
        arg("indices"), arg("size"), arg("kernel"), arg("stride"), arg("padding"), arg("dilation"),
        arg("stream"));
  m.def("avg_pool", &over_windows<cuda::mean_pool>, "input -> output [N, C, *out]", arg("input"),
        arg("output"), arg("kernel"), arg("stride"), arg("padding"), arg("count_include_pad"),
        arg("divisor").none(true), arg("stream"));
  m.def("avg_pool_grad", &over_windows<cuda::mean_pool_grad>, "g -> input_grad [N, C, *size]",
        arg("g"), arg("input_grad"), arg("kernel"), arg("stride"), arg("padding"),
        arg("count_include_pad"), arg("divisor").none(true), arg("stream"));
  m.def("adaptive_avg_pool", &over_bins<cuda::mean_pool>, "input -> output [N, C, *out]",
        arg("input"), arg("output"), arg("stream"));
  m.def("adaptive_avg_pool_grad", &over_bins<cuda::mean_pool_grad>, "g -> input_grad [N, C, *size]",
        arg("g"), arg("input_grad"), arg("stream"));
  m.def("adaptive_max_pool", &bin_maximum, "input -> output, indices [N, C, *out]", arg("input"),
        arg("output"), arg("indices"), arg("stream"));
}

}  // namespace minidl::bindings::pool
