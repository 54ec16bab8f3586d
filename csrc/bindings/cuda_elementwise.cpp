#include "cuda/elementwise.h"

#include "bindings/cuda_array.h"
#include "bindings/registry.h"

namespace minidl::bindings {
namespace {

template <cuda::UnaryOp op>
void unary(const cuda::Array& input, const cuda::Array& output, std::uintptr_t stream) {
  cuda::elementwise(op, input, output, to_stream(stream));
}

cuda::Operand to_operand(const pybind11::object& value) {
  if (pybind11::isinstance<pybind11::tuple>(value)) return {value.cast<cuda::Array>()};
  return {{}, value.cast<double>()};
}

template <cuda::BinaryOp op>
void binary(const pybind11::object& a, const pybind11::object& b, const cuda::Array& output,
            std::uintptr_t stream) {
  cuda::elementwise(op, to_operand(a), to_operand(b), output, to_stream(stream));
}

}  // namespace
}  // namespace minidl::bindings

MINIDL_REGISTER(elementwise) {
  using namespace minidl;
  namespace py = pybind11;
#define MINIDL_DEFINE(name, expression)                                                          \
  m.def(#name, &bindings::unary<cuda::UnaryOp::name>, "output = " #expression, py::arg("input"), \
        py::arg("output"), py::arg("stream"));
  MINIDL_UNARY(MINIDL_DEFINE)
#undef MINIDL_DEFINE
#define MINIDL_DEFINE(name, expression)                                                        \
  m.def(#name, &bindings::binary<cuda::BinaryOp::name>, "output = " #expression, py::arg("a"), \
        py::arg("b"), py::arg("output"), py::arg("stream"));
  MINIDL_BINARY(MINIDL_DEFINE)
#undef MINIDL_DEFINE
}
