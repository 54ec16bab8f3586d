#include "cuda/matmul.h"

#include "bindings/cuda_array.h"
#include "bindings/registry.h"
#include "cuda/matmul_select.h"

namespace minidl::bindings {
namespace {

void matmul(const cuda::Array& a, const cuda::Array& b, const cuda::Array& out,
            std::uintptr_t stream) {
  cuda::matmul(a, b, out, to_stream(stream));
}

std::string matmul_plan(std::int64_t batch, std::int64_t m, std::int64_t n, std::int64_t k) {
  return cuda::select_matmul({batch, m, n, k}).spell();
}

}  // namespace
}  // namespace minidl::bindings

MINIDL_REGISTER(matmul) {
  namespace py = pybind11;
  m.def("matmul", &minidl::bindings::matmul,
        "out[..., m, n] = sum over k of a[..., m, k] b[..., k, n]", py::arg("a"), py::arg("b"),
        py::arg("out"), py::arg("stream"));
  m.def("matmul_plan", &minidl::bindings::matmul_plan,
        "The configuration that matmul runs with, in words.", py::arg("batch"), py::arg("m"),
        py::arg("n"), py::arg("k"));
}
