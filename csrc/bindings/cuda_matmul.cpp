#include "cuda/matmul.h"

#include <optional>

#include "bindings/cuda_array.h"
#include "bindings/registry.h"

namespace minidl::bindings::matmul {
namespace {

cuda::Activation activation_of(std::string_view name) {
  using cuda::Activation;
  constexpr std::pair<std::string_view, Activation> known[] = {
      {"", Activation::none},     {"relu", Activation::relu},
      {"gelu", Activation::gelu}, {"gelu_tanh", Activation::gelu_tanh},
      {"tanh", Activation::tanh}, {"sigmoid", Activation::sigmoid},
      {"silu", Activation::silu},
  };
  for (const auto& [spelling, activation] : known) {
    if (spelling == name) return activation;
  }
  throw std::invalid_argument(concat("matmul has no activation '", name, "'"));
}

const cuda::Array* address(const std::optional<cuda::Array>& array) {
  return array ? &*array : nullptr;
}

void matmul(const cuda::Array& a, const cuda::Array& b, const cuda::Array& out,
            const std::optional<cuda::Array>& bias, const std::optional<cuda::Array>& addend,
            double alpha, double beta, std::string_view activation, bool tf32,
            const std::optional<cuda::Array>& workspace, std::uintptr_t stream) {
  cuda::matmul(
      a, b, out,
      {.epilogue = {address(bias), address(addend), alpha, beta, activation_of(activation)},
       .tf32 = tf32,
       .workspace = address(workspace)},
      to_stream(stream));
}

std::string matmul_plan(const cuda::Array& a, const cuda::Array& b, const cuda::Array& out,
                        bool tf32) {
  return cuda::matmul_config(a, b, out, tf32).spell();
}

}  // namespace

MINIDL_REGISTER(matmul) {
  m.def("matmul", &matmul, "out = activation(alpha a b + beta addend + bias); see cuda/matmul.h",
        py::arg("a"), py::arg("b"), py::arg("out"), py::arg("bias").none(true),
        py::arg("addend").none(true), py::arg("alpha"), py::arg("beta"), py::arg("activation"),
        py::arg("tf32"), py::arg("workspace").none(true), py::arg("stream"));
  m.def("matmul_workspace", &cuda::matmul_workspace,
        "Elements of the accumulator's type that matmul wants as workspace; 0 for most products.",
        py::arg("a"), py::arg("b"), py::arg("out"), py::arg("tf32"));
  m.def("matmul_plan", &matmul_plan, "The configuration that matmul runs with, in words.",
        py::arg("a"), py::arg("b"), py::arg("out"), py::arg("tf32"));
}

}  // namespace minidl::bindings::matmul
