// Convolution of NumPy arrays; names and arguments are those of minidl/backends/reference/conv.py.
#include "cpu/conv.h"

#include "bindings/registry.h"
#include "bindings/spatial.h"
#include "bindings/translate.h"

namespace {

using minidl::Type;
using minidl::bindings::check_shape;
using minidl::bindings::common_real;
using minidl::bindings::contiguous;
using minidl::bindings::Contiguous;
using minidl::bindings::extent;
using minidl::bindings::not_implemented;
using minidl::bindings::shape_of;
using minidl::bindings::Sizes;
using minidl::bindings::text;
using minidl::bindings::with_spatial;
using minidl::cpu::ConvProblem;
namespace py = pybind11;

struct Geometry {
  Sizes stride, padding, dilation;
  int64_t groups;
};

ConvProblem problem_of(const Sizes& input, const Sizes& weight, const Geometry& g) {
  MINIDL_CHECK(input.size() >= 3 && input.size() <= 5 && weight.size() == input.size(), "input ",
               text(input), " and weight ", text(weight),
               " must both have 1 to 3 spatial dimensions");
  MINIDL_CHECK(g.groups >= 1 && weight[0] % g.groups == 0 && input[1] == weight[1] * g.groups,
               "input ", text(input), " and weight ", text(weight), " do not fit ", g.groups,
               " groups");
  const size_t rank = input.size() - 2;
  ConvProblem p{input[0],
                input[1],
                weight[0],
                g.groups,
                extent(input, rank, 1, 0, "input"),
                extent(weight, rank, 1, 1, "kernel"),
                {},
                extent(g.stride, rank, 1, 1, "stride"),
                extent(g.padding, rank, 0, 0, "padding"),
                extent(g.dilation, rank, 1, 1, "dilation")};
  for (int d = 0; d < 3; ++d) {
    const int64_t span = minidl::cpu::window_span(p.kernel[d], p.dilation[d]);
    const int64_t room = p.size[d] + 2 * p.padding[d] - span;
    MINIDL_CHECK(room >= 0, "kernel ", text(weight), " is larger than the padded input ",
                 text(input));
    p.out[d] = room / p.stride[d] + 1;
  }
  return p;
}

Sizes output_shape(const ConvProblem& p, Sizes input) {
  input[1] = p.out_channels;
  return with_spatial(input, p.out);
}

py::object conv_forward(const py::array& input, const py::array& weight,
                        const std::optional<py::array>& bias, const Sizes& stride,
                        const Sizes& padding, const Sizes& dilation, int64_t groups) {
  const auto dtype = common_real({&input, &weight, bias ? &*bias : &weight});
  if (!dtype) return not_implemented();
  const ConvProblem p =
      problem_of(shape_of(input), shape_of(weight), {stride, padding, dilation, groups});
  if (bias) check_shape(*bias, {p.out_channels}, "bias");
  return minidl::dispatch_real(*dtype, [&]<class T>(Type<T>) -> py::object {
    const auto x = contiguous<T>(input), w = contiguous<T>(weight);
    const auto b = bias ? contiguous<T>(*bias) : Contiguous<T>();
    Contiguous<T> output(output_shape(p, shape_of(input)));
    const T* bias_data = bias ? b.data() : nullptr;
    T* out = output.mutable_data();
    {
      py::gil_scoped_release release;
      minidl::cpu::conv_forward<T>(p, x.data(), w.data(), bias_data, out);
    }
    return output;
  });
}

py::object conv_input_grad(const py::array& g, const py::array& weight, const Sizes& input_shape,
                           const Sizes& stride, const Sizes& padding, const Sizes& dilation,
                           int64_t groups) {
  const auto dtype = common_real({&g, &weight});
  if (!dtype) return not_implemented();
  const ConvProblem p =
      problem_of(input_shape, shape_of(weight), {stride, padding, dilation, groups});
  check_shape(g, output_shape(p, input_shape), "the output's gradient");
  return minidl::dispatch_real(*dtype, [&]<class T>(Type<T>) -> py::object {
    const auto grad = contiguous<T>(g), w = contiguous<T>(weight);
    Contiguous<T> result(input_shape);
    T* out = result.mutable_data();
    {
      py::gil_scoped_release release;
      minidl::cpu::conv_input_grad<T>(p, grad.data(), w.data(), out);
    }
    return result;
  });
}

py::object conv_weight_grad(const py::array& g, const py::array& input, const Sizes& weight_shape,
                            const Sizes& stride, const Sizes& padding, const Sizes& dilation,
                            int64_t groups) {
  const auto dtype = common_real({&g, &input});
  if (!dtype) return not_implemented();
  const ConvProblem p =
      problem_of(shape_of(input), weight_shape, {stride, padding, dilation, groups});
  check_shape(g, output_shape(p, shape_of(input)), "the output's gradient");
  return minidl::dispatch_real(*dtype, [&]<class T>(Type<T>) -> py::object {
    const auto grad = contiguous<T>(g), x = contiguous<T>(input);
    Contiguous<T> result(weight_shape);
    T* out = result.mutable_data();
    {
      py::gil_scoped_release release;
      minidl::cpu::conv_weight_grad<T>(p, grad.data(), x.data(), out);
    }
    return result;
  });
}

}  // namespace

MINIDL_REGISTER(conv) {
  using py::arg;
  m.def("conv_forward", &conv_forward, arg("input"), arg("weight"), arg("bias").none(true),
        arg("stride"), arg("padding"), arg("dilation"), arg("groups"));
  m.def("conv_input_grad", &conv_input_grad, arg("g"), arg("weight"), arg("input_shape"),
        arg("stride"), arg("padding"), arg("dilation"), arg("groups"));
  m.def("conv_weight_grad", &conv_weight_grad, arg("g"), arg("input"), arg("weight_shape"),
        arg("stride"), arg("padding"), arg("dilation"), arg("groups"));
}
