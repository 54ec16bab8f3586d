#include "cuda/conv.h"

#include <utility>

#include "bindings/cuda_array.h"
#include "bindings/registry.h"

namespace minidl::bindings::conv {
namespace {

using cuda::Array;
using Sizes = std::vector<std::int64_t>;
using Optional = std::optional<Array>;

// Memory from xp.empty((bytes,), "uint8"), held until the launches are made.
struct Workspace {
  py::object empty, array;

  cuda::ConvWorkspace taken() {
    return [this](std::int64_t bytes) {
      array = empty(py::make_tuple(bytes), "uint8");
      return reinterpret_cast<void*>(array.attr("data").attr("ptr").cast<std::uintptr_t>());
    };
  }
};

const Array* pointer(const Optional& array) { return array ? &*array : nullptr; }

cuda::ConvPass pass_of(const std::string& name) {
  if (name == "forward") return cuda::ConvPass::forward;
  if (name == "input_grad") return cuda::ConvPass::input_grad;
  MINIDL_CHECK(name == "weight_grad", "a pass is forward, input_grad or weight_grad, not ", name);
  return cuda::ConvPass::weight_grad;
}

std::string plan(const std::string& pass, const Array& first, const Array& second,
                 const Array& result, Sizes stride, Sizes padding, Sizes dilation,
                 std::int64_t groups) {
  return cuda::conv_plan(pass_of(pass), first, second, result, {stride, padding, dilation, groups});
}

void forward(const Array& input, const Array& weight, const Optional& bias, const Array& output,
             py::object empty, Sizes stride, Sizes padding, Sizes dilation, std::int64_t groups,
             std::uintptr_t stream) {
  Workspace workspace{std::move(empty), {}};
  cuda::conv_forward(input, weight, pointer(bias), output, workspace.taken(),
                     {stride, padding, dilation, groups}, to_stream(stream));
}

void input_grad(const Array& g, const Array& weight, const Array& input_grad, py::object empty,
                Sizes stride, Sizes padding, Sizes dilation, std::int64_t groups,
                std::uintptr_t stream) {
  Workspace workspace{std::move(empty), {}};
  cuda::conv_input_grad(g, weight, input_grad, workspace.taken(),
                        {stride, padding, dilation, groups}, to_stream(stream));
}

void weight_grad(const Array& g, const Array& input, const Array& weight_grad, py::object empty,
                 Sizes stride, Sizes padding, Sizes dilation, std::int64_t groups,
                 std::uintptr_t stream) {
  Workspace workspace{std::move(empty), {}};
  cuda::conv_weight_grad(g, input, weight_grad, workspace.taken(),
                         {stride, padding, dilation, groups}, to_stream(stream));
}

}  // namespace

MINIDL_REGISTER(conv) {
  m.def("conv_plan", &plan,
        "How a pass is computed, in words: forward (input, weight, output), input_grad (g, weight, "
        "input_grad) or weight_grad (g, input, weight_grad).",
        py::arg("pass"), py::arg("first"), py::arg("second"), py::arg("result"), py::arg("stride"),
        py::arg("padding"), py::arg("dilation"), py::arg("groups"));
  m.def("conv_forward", &forward, "input, weight, bias -> output [N, K, ...]", py::arg("input"),
        py::arg("weight"), py::arg("bias").none(true), py::arg("output"), py::arg("empty"),
        py::arg("stride"), py::arg("padding"), py::arg("dilation"), py::arg("groups"),
        py::arg("stream"));
  m.def("conv_input_grad", &input_grad, "g, weight -> input_grad [N, C, ...]", py::arg("g"),
        py::arg("weight"), py::arg("input_grad"), py::arg("empty"), py::arg("stride"),
        py::arg("padding"), py::arg("dilation"), py::arg("groups"), py::arg("stream"));
  m.def("conv_weight_grad", &weight_grad, "g, input -> weight_grad [K, C / G, ...]", py::arg("g"),
        py::arg("input"), py::arg("weight_grad"), py::arg("empty"), py::arg("stride"),
        py::arg("padding"), py::arg("dilation"), py::arg("groups"), py::arg("stream"));
}

}  // namespace minidl::bindings::conv
