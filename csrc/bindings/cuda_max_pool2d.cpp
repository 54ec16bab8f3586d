#include "cuda/max_pool2d.h"

#include "bindings/cuda_array.h"
#include "bindings/registry.h"

namespace minidl::bindings {
namespace {

using Pair = std::array<std::int64_t, 2>;

void max_pool2d(const cuda::Array& input, const cuda::Array& output, const cuda::Array& offsets,
                Pair kernel, Pair stride, Pair padding, Pair dilation, std::uintptr_t stream) {
  cuda::max_pool2d(input, output, offsets, {kernel, stride, padding, dilation}, to_stream(stream));
}

void max_pool2d_grad(const cuda::Array& g, const cuda::Array& offsets,
                     const cuda::Array& input_grad, Pair kernel, Pair stride, Pair padding,
                     Pair dilation, std::uintptr_t stream) {
  cuda::max_pool2d_grad(g, offsets, input_grad, {kernel, stride, padding, dilation},
                        to_stream(stream));
}

}  // namespace
}  // namespace minidl::bindings

MINIDL_REGISTER(max_pool2d) {
  namespace bindings = minidl::bindings;
  namespace py = pybind11;
  m.def("max_pool2d", &bindings::max_pool2d, "input -> output, offsets [N, C, P, Q]",
        py::arg("input"), py::arg("output"), py::arg("offsets"), py::arg("kernel"),
        py::arg("stride"), py::arg("padding"), py::arg("dilation"), py::arg("stream"));
  m.def("max_pool2d_grad", &bindings::max_pool2d_grad, "g, offsets -> input_grad [N, C, H, W]",
        py::arg("g"), py::arg("offsets"), py::arg("input_grad"), py::arg("kernel"),
        py::arg("stride"), py::arg("padding"), py::arg("dilation"), py::arg("stream"));
}
