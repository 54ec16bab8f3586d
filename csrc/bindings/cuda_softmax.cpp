#include "cuda/softmax.h"

#include "bindings/cuda_array.h"
#include "bindings/registry.h"

namespace minidl::bindings::softmax {
namespace {

void softmax(const cuda::Array& input, std::int64_t dim, bool log, const cuda::Array& output,
             std::uintptr_t stream) {
  cuda::softmax(input, dim, log, output, to_stream(stream));
}

void softmax_backward(const cuda::Array& grad, const cuda::Array& output, std::int64_t dim,
                      bool log, const cuda::Array& grad_input, std::uintptr_t stream) {
  cuda::softmax_backward(grad, output, dim, log, grad_input, to_stream(stream));
}

}  // namespace

MINIDL_REGISTER(softmax) {
  m.def("softmax", &softmax, "output = softmax of input along dim, or its logarithm",
        py::arg("input"), py::arg("dim"), py::arg("log"), py::arg("output"), py::arg("stream"));
  m.def("softmax_backward", &softmax_backward, "grad_input of softmax or its logarithm",
        py::arg("grad"), py::arg("output"), py::arg("dim"), py::arg("log"), py::arg("grad_input"),
        py::arg("stream"));
}

}  // namespace minidl::bindings::softmax
