// Batch and group norm of NumPy arrays; names and arguments are those of
// minidl/backends/reference/norm.py. Batch norm takes channels-last images as they are and gives
// such; everything else is made contiguous. Empty arrays are left to the reference.
#include <cmath>
#include <vector>

#include "bindings/norm_arguments.h"
#include "bindings/registry.h"

namespace minidl::bindings::norm_channels {
namespace {

using minidl::cpu::ChannelNorm;
using minidl::cpu::norm_kernels;

// The array (N, C, *) as a contiguous one, with the channels behind where `last`; null with an
// error set.
Array laid_out(PyObject* value, bool last) {
  if (!last) return contiguous(value);
  std::vector<npy_intp> order(PyArray_NDIM(as_array(value)));
  for (size_t axis = 0; axis < order.size(); ++axis) order[axis] = static_cast<npy_intp>(axis + 1);
  order[0] = 0;
  order.back() = 1;
  PyArray_Dims axes{order.data(), static_cast<int>(order.size())};
  const Array turned(PyArray_Transpose(as_array(value), &axes));
  return turned ? contiguous(turned.object()) : Array();
}

// What laid_out(value, true) gave, with its channels in front again.
Array channels_first(Array& array) {
  std::vector<npy_intp> order(array.rank());
  for (size_t axis = 1; axis < order.size(); ++axis) order[axis] = static_cast<npy_intp>(axis - 1);
  order[0] = 0;
  order[1] = static_cast<npy_intp>(order.size() - 1);
  PyArray_Dims axes{order.data(), static_cast<int>(order.size())};
  return Array(PyArray_Transpose(array.get(), &axes));
}

// Whether the memory of (N, C, *) has the channels innermost, and not only by chance.
bool is_channels_last(PyObject* value) {
  auto* array = as_array(value);
  const int rank = PyArray_NDIM(array);
  if (PyArray_IS_C_CONTIGUOUS(array)) return false;
  npy_intp step = PyArray_ITEMSIZE(array);
  for (int place = rank; place-- > 0;) {
    const int axis = place == rank - 1 ? 1 : place == 0 ? 0 : place + 1;
    if (PyArray_DIM(array, axis) != 1 && PyArray_STRIDE(array, axis) != step) return false;
    step *= PyArray_DIM(array, axis);
  }
  return true;
}

// Input (N, C, *), weight and bias (C).
struct Channels {
  Array input, weight, bias;
  int64_t samples = 0, channels = 0, size = 0;
  bool turned = false;  // the input has its channels behind
  bool last = false;    // the kernels shall take it for channels-last

  bool parse(PyObject* x, PyObject* weight_in, PyObject* bias_in, bool may_turn) {
    if (!is_float(x) || PyArray_NDIM(as_array(x)) < 2) return false;
    turned = may_turn && PyArray_NDIM(as_array(x)) > 2 && is_channels_last(x);
    samples = PyArray_DIM(as_array(x), 0);
    channels = PyArray_DIM(as_array(x), 1);
    if (PyArray_SIZE(as_array(x)) == 0) return false;
    size = PyArray_SIZE(as_array(x)) / (samples * channels);
    last = turned || (may_turn && size == 1);
    input = laid_out(x, turned);
    return input && vector_of(weight_in, input, channels, weight) &&
           vector_of(bias_in, input, channels, bias);
  }

  // Another array of the input's shape, in its layout.
  bool like_input(PyObject* value, Array& array) const {
    if (!same_kind(value, input)) return false;
    if (PyArray_NDIM(as_array(value)) != input.rank()) return false;
    array = laid_out(value, turned);
    return array && PyArray_SAMESHAPE(array.get(), input.get());
  }

  Array per_channel() const {
    const npy_intp shape[] = {static_cast<npy_intp>(channels)};
    return Array(empty_array(1, shape, input.type()));
  }

  // `made`, of the input's layout, in the order of axes that the caller knows.
  bool hand_over(Array& made) const {
    if (made && turned) made = channels_first(made);
    return static_cast<bool>(made);
  }

  template <typename T>
  ChannelNorm<T> problem(double eps, int64_t groups = 1) const {
    return {samples, channels, size, eps, weight.data_or_null<T>(), bias.data_or_null<T>(),
            last,    groups};
  }
};

// batch_norm(input, weight, bias, eps) -> output, mean, variance, inv_std
PyObject* batch_norm(Arguments args, Py_ssize_t count) {
  if (!expect(count, 4, "batch_norm")) return nullptr;
  Channels c;
  double eps;
  if (!c.parse(args[0], args[1], args[2], true) || !read_scalar(args[3], eps)) return given_up();
  Array output = empty_like(c.input), mean = c.per_channel(), variance = c.per_channel(),
        inv_std = c.per_channel();
  if (!output || !mean || !variance || !inv_std) return nullptr;
  run(c.input, [&](auto kind) {
    using T = decltype(kind);
    norm_kernels<T>().batch_norm(c.problem<T>(eps), c.input.data<T>(), output.data<T>(),
                                 mean.data<T>(), variance.data<T>(), inv_std.data<T>());
  });
  if (!c.hand_over(output)) return nullptr;
  return pack({&output, &mean, &variance, &inv_std});
}

// batch_norm_inference(input, weight, bias, mean, variance, eps) -> output, inv_std
PyObject* batch_norm_inference(Arguments args, Py_ssize_t count) {
  if (!expect(count, 6, "batch_norm_inference")) return nullptr;
  Channels c;
  Array mean, variance;
  double eps;
  if (!c.parse(args[0], args[1], args[2], true) || !vector_of(args[3], c.input, c.channels, mean) ||
      !mean || !vector_of(args[4], c.input, c.channels, variance) || !variance ||
      !read_scalar(args[5], eps)) {
    return given_up();
  }
  Array output = empty_like(c.input), inv_std = c.per_channel();
  if (!output || !inv_std) return nullptr;
  run(c.input, [&](auto kind) {
    using T = decltype(kind);
    T* inverse = inv_std.data<T>();
    for (int64_t k = 0; k < c.channels; ++k) {
      inverse[k] = static_cast<T>(1 / std::sqrt(variance.data<T>()[k] + eps));
    }
    norm_kernels<T>().batch_norm_inference(c.problem<T>(eps), c.input.data<T>(), mean.data<T>(),
                                           inverse, output.data<T>());
  });
  if (!c.hand_over(output)) return nullptr;
  return pack({&output, &inv_std});
}

// batch_norm_backward(grad, input, weight, mean, inv_std, training, needs)
PyObject* batch_norm_backward(Arguments args, Py_ssize_t count) {
  if (!expect(count, 7, "batch_norm_backward")) return nullptr;
  Channels c;
  Array grad, mean, inv_std;
  bool needs[3];
  if (!c.parse(args[1], args[2], Py_None, true) || !c.like_input(args[0], grad) ||
      !vector_of(args[3], c.input, c.channels, mean) || !mean ||
      !vector_of(args[4], c.input, c.channels, inv_std) || !inv_std || !PyBool_Check(args[5]) ||
      !read_needs(args[6], 3, needs)) {
    return given_up();
  }
  Outputs out;
  const npy_intp shape[] = {static_cast<npy_intp>(c.channels)};
  if (!out.make(needs, c.input, 1, shape)) return nullptr;
  run(c.input, [&](auto kind) {
    using T = decltype(kind);
    norm_kernels<T>().batch_norm_backward(c.problem<T>(0), grad.data<T>(), c.input.data<T>(),
                                          mean.data<T>(), inv_std.data<T>(), args[5] == Py_True,
                                          out.pointers<T>());
  });
  if (needs[0] && !c.hand_over(out.input)) return nullptr;
  return pack({&out.input, &out.weight, &out.bias});
}

bool read_groups(PyObject* object, const Channels& c, int64_t& groups) {
  groups = PyLong_AsLongLong(object);
  return !PyErr_Occurred() && groups > 0 && c.channels % groups == 0;
}

// group_norm(input, groups, weight, bias, eps) -> output, mean, inv_std
PyObject* group_norm(Arguments args, Py_ssize_t count) {
  if (!expect(count, 5, "group_norm")) return nullptr;
  Channels c;
  int64_t groups;
  double eps;
  if (!c.parse(args[0], args[2], args[3], false) || !read_groups(args[1], c, groups) ||
      !read_scalar(args[4], eps)) {
    return given_up();
  }
  const npy_intp shape[] = {static_cast<npy_intp>(c.samples), static_cast<npy_intp>(groups), 1};
  Array output = empty_like(c.input), mean(empty_array(3, shape, c.input.type())),
        inv_std(empty_array(3, shape, c.input.type()));
  if (!output || !mean || !inv_std) return nullptr;
  run(c.input, [&](auto kind) {
    using T = decltype(kind);
    norm_kernels<T>().group_norm(c.problem<T>(eps, groups), c.input.data<T>(), output.data<T>(),
                                 mean.data<T>(), inv_std.data<T>());
  });
  return pack({&output, &mean, &inv_std});
}

// group_norm_backward(grad, input, weight, mean, inv_std, groups, needs)
PyObject* group_norm_backward(Arguments args, Py_ssize_t count) {
  if (!expect(count, 7, "group_norm_backward")) return nullptr;
  Channels c;
  Array grad, mean, inv_std;
  int64_t groups;
  bool needs[3];
  if (!c.parse(args[1], args[2], Py_None, false) || !c.like_input(args[0], grad) ||
      !read_groups(args[5], c, groups) || !vector_of(args[3], c.input, c.samples * groups, mean) ||
      !mean || !vector_of(args[4], c.input, c.samples * groups, inv_std) || !inv_std ||
      !read_needs(args[6], 3, needs)) {
    return given_up();
  }
  Outputs out;
  const npy_intp shape[] = {static_cast<npy_intp>(c.channels)};
  if (!out.make(needs, c.input, 1, shape)) return nullptr;
  run(c.input, [&](auto kind) {
    using T = decltype(kind);
    norm_kernels<T>().group_norm_backward(c.problem<T>(0, groups), grad.data<T>(),
                                          c.input.data<T>(), mean.data<T>(), inv_std.data<T>(),
                                          out.pointers<T>());
  });
  return pack({&out.input, &out.weight, &out.bias});
}

}  // namespace

MINIDL_REGISTER(norm_channels) {
  if (_import_array() < 0) throw pybind11::error_already_set();
  static PyMethodDef methods[] = {
      fast_method("batch_norm", guarded<batch_norm>, "batch_norm(input, weight, bias, eps)"),
      fast_method("batch_norm_inference", guarded<batch_norm_inference>,
                  "batch_norm_inference(input, weight, bias, mean, variance, eps)"),
      fast_method("batch_norm_backward", guarded<batch_norm_backward>,
                  "batch_norm_backward(grad, input, weight, mean, inv_std, training, needs)"),
      fast_method("group_norm", guarded<group_norm>,
                  "group_norm(input, groups, weight, bias, eps)"),
      fast_method("group_norm_backward", guarded<group_norm_backward>,
                  "group_norm_backward(grad, input, weight, mean, inv_std, groups, needs)"),
      {nullptr, nullptr, 0, nullptr},
  };
  if (PyModule_AddFunctions(m.ptr(), methods) < 0) throw pybind11::error_already_set();
}

}  // namespace minidl::bindings::norm_channels
