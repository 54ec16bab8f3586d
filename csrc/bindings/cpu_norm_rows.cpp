// Layer and RMS norm of NumPy arrays; names and arguments are those of
// minidl/backends/reference/norm.py. Empty arrays are left to the reference.
#include <algorithm>
#include <vector>

#include "bindings/norm_arguments.h"
#include "bindings/registry.h"

namespace minidl::bindings::norm_rows {
namespace {

using minidl::cpu::norm_kernels;
using minidl::cpu::RowNorm;

// Input (*, size) of which the last `rank` axes are one row; weight and bias (size).
struct Rows {
  Array input, weight, bias;
  int64_t rows = 1, size = 1;
  int lead = 0;  // axes before the row's

  bool parse(PyObject* x, PyObject* rank_in, PyObject* weight_in, PyObject* bias_in) {
    if (!is_float(x)) return false;
    const Py_ssize_t rank = PyLong_AsSsize_t(rank_in);
    if (rank == -1 && PyErr_Occurred()) return false;
    input = contiguous(x);
    if (!input || rank < 1 || rank > input.rank() || input.size() == 0) return false;
    lead = input.rank() - static_cast<int>(rank);
    for (int axis = 0; axis < input.rank(); ++axis) {
      (axis < lead ? rows : size) *= input.shape()[axis];
    }
    return vector_of(weight_in, input, size, weight) && vector_of(bias_in, input, size, bias);
  }

  // One value a row: the shape of the input with the row's axes of size 1.
  Array statistic() const {
    std::vector<npy_intp> shape(input.shape(), input.shape() + input.rank());
    std::fill(shape.begin() + lead, shape.end(), 1);
    return Array(empty_array(input.rank(), shape.data(), input.type()));
  }

  template <typename T>
  RowNorm<T> problem(double eps) const {
    return {rows, size, eps, weight.data_or_null<T>(), bias.data_or_null<T>()};
  }
};

// layer_norm(input, rank, weight, bias, eps) -> output, mean, inv_std
PyObject* layer_norm(Arguments args, Py_ssize_t count) {
  if (!expect(count, 5, "layer_norm")) return nullptr;
  Rows r;
  double eps;
  if (!r.parse(args[0], args[1], args[2], args[3]) || !read_scalar(args[4], eps)) {
    return given_up();
  }
  Array output = empty_like(r.input), mean = r.statistic(), inv_std = r.statistic();
  if (!output || !mean || !inv_std) return nullptr;
  run(r.input, [&](auto kind) {
    using T = decltype(kind);
    norm_kernels<T>().layer_norm(r.problem<T>(eps), r.input.data<T>(), output.data<T>(),
                                 mean.data<T>(), inv_std.data<T>());
  });
  return pack({&output, &mean, &inv_std});
}

// layer_norm_backward(grad, input, weight, mean, inv_std, rank, needs)
PyObject* layer_norm_backward(Arguments args, Py_ssize_t count) {
  if (!expect(count, 7, "layer_norm_backward")) return nullptr;
  Rows r;
  Array grad, mean, inv_std;
  bool needs[3];
  if (!r.parse(args[1], args[5], args[2], Py_None) || args[0] == Py_None ||
      !vector_of(args[0], r.input, r.input.size(), grad) ||
      !vector_of(args[3], r.input, r.rows, mean) || !mean ||
      !vector_of(args[4], r.input, r.rows, inv_std) || !inv_std || !read_needs(args[6], 3, needs)) {
    return given_up();
  }
  Outputs out;
  if (!out.make(needs, r.input, r.input.rank() - r.lead, r.input.shape() + r.lead)) return nullptr;
  run(r.input, [&](auto kind) {
    using T = decltype(kind);
    norm_kernels<T>().layer_norm_backward(r.problem<T>(0), grad.data<T>(), r.input.data<T>(),
                                          mean.data<T>(), inv_std.data<T>(), out.pointers<T>());
  });
  return pack({&out.input, &out.weight, &out.bias});
}

// rms_norm(input, rank, weight, eps) -> output, inv_rms
PyObject* rms_norm(Arguments args, Py_ssize_t count) {
  if (!expect(count, 4, "rms_norm")) return nullptr;
  Rows r;
  double eps;
  if (!r.parse(args[0], args[1], args[2], Py_None) || !read_scalar(args[3], eps)) {
    return given_up();
  }
  Array output = empty_like(r.input), inv_rms = r.statistic();
  if (!output || !inv_rms) return nullptr;
  run(r.input, [&](auto kind) {
    using T = decltype(kind);
    norm_kernels<T>().rms_norm(r.problem<T>(eps), r.input.data<T>(), output.data<T>(),
                               inv_rms.data<T>());
  });
  return pack({&output, &inv_rms});
}

// rms_norm_backward(grad, input, weight, inv_rms, rank, needs)
PyObject* rms_norm_backward(Arguments args, Py_ssize_t count) {
  if (!expect(count, 6, "rms_norm_backward")) return nullptr;
  Rows r;
  Array grad, inv_rms;
  bool needs[3] = {};
  if (!r.parse(args[1], args[4], args[2], Py_None) || args[0] == Py_None ||
      !vector_of(args[0], r.input, r.input.size(), grad) ||
      !vector_of(args[3], r.input, r.rows, inv_rms) || !inv_rms || !read_needs(args[5], 2, needs)) {
    return given_up();
  }
  Outputs out;
  if (!out.make(needs, r.input, r.input.rank() - r.lead, r.input.shape() + r.lead)) return nullptr;
  run(r.input, [&](auto kind) {
    using T = decltype(kind);
    norm_kernels<T>().rms_norm_backward(r.problem<T>(0), grad.data<T>(), r.input.data<T>(),
                                        inv_rms.data<T>(), out.pointers<T>());
  });
  return pack({&out.input, &out.weight});
}

}  // namespace

MINIDL_REGISTER(norm_rows) {
  if (_import_array() < 0) throw pybind11::error_already_set();
  static PyMethodDef methods[] = {
      fast_method("layer_norm", guarded<layer_norm>, "layer_norm(input, rank, weight, bias, eps)"),
      fast_method("layer_norm_backward", guarded<layer_norm_backward>,
                  "layer_norm_backward(grad, input, weight, mean, inv_std, rank, needs)"),
      fast_method("rms_norm", guarded<rms_norm>, "rms_norm(input, rank, weight, eps)"),
      fast_method("rms_norm_backward", guarded<rms_norm_backward>,
                  "rms_norm_backward(grad, input, weight, inv_rms, rank, needs)"),
      {nullptr, nullptr, 0, nullptr},
  };
  if (PyModule_AddFunctions(m.ptr(), methods) < 0) throw pybind11::error_already_set();
}

}  // namespace minidl::bindings::norm_rows
