#include "cuda/conv2d.h"

#include "bindings/cuda_array.h"
#include "bindings/registry.h"

namespace minidl::bindings {
namespace {

using Pair = std::array<std::int64_t, 2>;

void forward(const cuda::Array& input, const cuda::Array& weight,
             const std::optional<cuda::Array>& bias, const cuda::Array& output, Pair stride,
             Pair padding, Pair dilation, std::int64_t groups, std::uintptr_t stream) {
  cuda::conv2d_forward(input, weight, bias ? &*bias : nullptr, output,
                       {stride, padding, dilation, groups}, to_stream(stream));
}

void input_grad(const cuda::Array& g, const cuda::Array& weight, const cuda::Array& input_grad,
                Pair stride, Pair padding, Pair dilation, std::int64_t groups,
                std::uintptr_t stream) {
  cuda::conv2d_input_grad(g, weight, input_grad, {stride, padding, dilation, groups},
                          to_stream(stream));
}

void weight_grad(const cuda::Array& g, const cuda::Array& input, const cuda::Array& weight_grad,
                 Pair stride, Pair padding, Pair dilation, std::int64_t groups,
                 std::uintptr_t stream) {
  cuda::conv2d_weight_grad(g, input, weight_grad, {stride, padding, dilation, groups},
                           to_stream(stream));
}

}  // namespace
}  // namespace minidl::bindings

MINIDL_REGISTER(conv2d) {
  namespace bindings = minidl::bindings;
  namespace py = pybind11;
  m.def("conv2d_forward", &bindings::forward, "input, weight, bias -> output [N, K, P, Q]",
        py::arg("input"), py::arg("weight"), py::arg("bias").none(true), py::arg("output"),
        py::arg("stride"), py::arg("padding"), py::arg("dilation"), py::arg("groups"),
        py::arg("stream"));
  m.def("conv2d_input_grad", &bindings::input_grad, "g, weight -> input_grad [N, C, H, W]",
        py::arg("g"), py::arg("weight"), py::arg("input_grad"), py::arg("stride"),
        py::arg("padding"), py::arg("dilation"), py::arg("groups"), py::arg("stream"));
  m.def("conv2d_weight_grad", &bindings::weight_grad, "g, input -> weight_grad [K, C / G, R, S]",
        py::arg("g"), py::arg("input"), py::arg("weight_grad"), py::arg("stride"),
        py::arg("padding"), py::arg("dilation"), py::arg("groups"), py::arg("stream"));
}
