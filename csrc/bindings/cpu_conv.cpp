// Convolution of NumPy arrays; names and arguments are those of minidl/backends/reference/conv.py.
#include "cpu/conv.h"

#include <utility>

#include "bindings/output.h"
#include "bindings/registry.h"
#include "bindings/spatial.h"
#include "bindings/translate.h"
#include "cpu/conv_product.h"
#include "cpu/conv_select.h"

namespace minidl::bindings::conv {
namespace {

using minidl::cpu::ConvProblem;
using minidl::cpu::Image;
using minidl::cpu::ImageLayout;

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

// Whether an array [N, C, *size] has its channels last in memory (and not also first, as it has
// with one channel or one point).
bool is_channels_last(const py::array& array) {
  const py::ssize_t channels = array.shape(1);
  py::ssize_t step = channels * array.itemsize(), points = 1;
  for (py::ssize_t axis = array.ndim() - 1; axis >= 2; --axis) {
    if (array.shape(axis) != 1 && array.strides(axis) != step) return false;
    step *= array.shape(axis);
    points *= array.shape(axis);
  }
  return channels > 1 && points > 1 && array.strides(1) == array.itemsize() &&
         (array.shape(0) == 1 || array.strides(0) == step);
}

// An array in whatever order it is in.
template <typename T>
Image<const T> image_of(const py::array& array) {
  const auto step = [&](size_t axis) {
    return static_cast<int64_t>(array.strides(static_cast<py::ssize_t>(axis)) / array.itemsize());
  };
  const size_t rank = static_cast<size_t>(array.ndim()) - 2;
  ImageLayout layout{step(0), step(1), {0, 0, 0}};
  for (size_t d = 0; d < rank; ++d) layout.point[3 - rank + d] = step(2 + d);
  return {static_cast<const T*>(array.data()), layout};
}

// A new array [N, C, *size], contiguous or with its channels last in memory.
template <typename T>
std::pair<py::array, Image<T>> new_image(const Sizes& shape, bool channels_last) {
  const size_t rank = shape.size() - 2;
  const auto layout =
      minidl::cpu::image_layout(shape[1], extent(shape, rank, 1, 0, "output"), channels_last);
  auto memory = minidl::bindings::empty<T>(shape);
  T* const data = memory.mutable_data();
  if (!channels_last) return {memory, {data, layout}};
  constexpr int64_t bytes = sizeof(T);
  Sizes strides{layout.batch * bytes, layout.channel * bytes};
  for (size_t d = 0; d < rank; ++d) strides.push_back(layout.point[3 - rank + d] * bytes);
  return {py::array(py::dtype::of<T>(), shape, strides, data, memory), {data, layout}};
}

// Calls body(output) for a new output of `shape`, without the GIL: the body touches no Python
// object, not even to ask an array for its strides.
template <typename T, typename Body>
py::object make_output(const Sizes& shape, bool channels_last, const Body& body) {
  auto [array, image] = new_image<T>(shape, channels_last);
  {
    py::gil_scoped_release release;
    body(image);
  }
  return array;
}

// The array itself where kernels can address it in any order, else a contiguous copy.
template <typename T>
py::array readable(const py::array& array, bool any_order) {
  if (any_order && minidl::bindings::addressable(array)) return array;
  return contiguous<T>(array);
}

py::object conv_forward(const py::array& input, const py::array& weight,
                        const std::optional<py::array>& bias, const Sizes& stride,
                        const Sizes& padding, const Sizes& dilation, int64_t groups) {
  const auto dtype = common_real({&input, &weight, bias ? &*bias : &weight});
  if (!dtype) return not_implemented();
  const ConvProblem p =
      problem_of(shape_of(input), shape_of(weight), {stride, padding, dilation, groups});
  if (bias) check_shape(*bias, {p.out_channels}, "bias");
  const bool any_order = minidl::cpu::takes_any_order(minidl::cpu::forward_pass(p));
  return minidl::dispatch_real(*dtype, [&]<class T>(Type<T>) -> py::object {
    const auto x = readable<T>(input, any_order);
    const auto w = contiguous<T>(weight);
    const auto b = bias ? contiguous<T>(*bias) : Contiguous<T>();
    const Image<const T> x_image = image_of<T>(x);
    const T *w_data = w.data(), *bias_data = bias ? b.data() : nullptr;
    const bool last = any_order && (is_channels_last(input) || is_channels_last(weight));
    return make_output<T>(output_shape(p, shape_of(input)), last, [&](Image<T> output) {
      minidl::cpu::conv_forward<T>(p, x_image, w_data, bias_data, output);
    });
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
  const bool any_order = minidl::cpu::takes_any_order(minidl::cpu::input_grad_pass(p));
  return minidl::dispatch_real(*dtype, [&]<class T>(Type<T>) -> py::object {
    const auto grad = readable<T>(g, any_order);
    const auto w = contiguous<T>(weight);
    const Image<const T> grad_image = image_of<T>(grad);
    const T* w_data = w.data();
    bool done = false;
    auto result =
        make_output<T>(input_shape, any_order && (is_channels_last(g) || is_channels_last(weight)),
                       [&](Image<T> output) {
                         done = minidl::cpu::conv_input_grad<T>(p, grad_image, w_data, output);
                       });
    return done ? result : not_implemented();
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
  const bool any_order = minidl::cpu::takes_any_order(minidl::cpu::forward_pass(p));
  return minidl::dispatch_real(*dtype, [&]<class T>(Type<T>) -> py::object {
    const auto grad = readable<T>(g, any_order), x = readable<T>(input, any_order);
    const Image<const T> grad_image = image_of<T>(grad), x_image = image_of<T>(x);
    auto result = minidl::bindings::empty<T>(weight_shape);
    T* out = result.mutable_data();
    {
      py::gil_scoped_release release;
      minidl::cpu::conv_weight_grad<T>(p, grad_image, x_image, out);
    }
    return result;
  });
}

// How a convolution's pass ("forward", "input", "weight": a gradient) would be computed, of arrays
// that are all channels-last or not.
std::string conv_select(const std::string& pass, const Sizes& input_shape,
                        const Sizes& weight_shape, const Sizes& stride, const Sizes& padding,
                        const Sizes& dilation, int64_t groups, const py::dtype& dtype,
                        bool channels_last) {
  const ConvProblem p = problem_of(input_shape, weight_shape, {stride, padding, dilation, groups});
  if (channels_last && minidl::cpu::is_pointwise(p)) return "product";
  if (pass == "input") {
    return minidl::cpu::describe_pass(minidl::cpu::input_grad_pass(p), dtype.itemsize());
  }
  const auto forward = minidl::cpu::forward_pass(p);
  return pass == "weight" ? minidl::cpu::describe_weight_grad(forward, dtype.itemsize())
                          : minidl::cpu::describe_pass(forward, dtype.itemsize());
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
  m.def("conv_select", &conv_select, arg("direction"), arg("input_shape"), arg("weight_shape"),
        arg("stride"), arg("padding"), arg("dilation"), arg("groups"), arg("dtype"),
        arg("channels_last") = false);
}

}  // namespace minidl::bindings::conv
