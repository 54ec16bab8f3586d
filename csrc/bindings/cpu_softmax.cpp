// Softmax and cross entropy for NumPy arrays. A call on a 4x4 array must not cost more than the
// arithmetic of a small network, so these functions talk to NumPy's C API directly: no signature
// dispatch, no argument conversion.
#include "cpu/softmax.h"

#include <cstring>

#include "bindings/owned_array.h"
#include "bindings/registry.h"

namespace minidl::bindings::softmax {
namespace {

using minidl::cpu::CrossEntropy;
using minidl::cpu::Rows;
using minidl::cpu::softmax_kernels;

// A number of no dimensions has axis 0 all the same.
bool is_axis(Py_ssize_t dim, PyObject* array) {
  return dim >= 0 && dim < std::max(1, PyArray_NDIM(as_array(array)));
}

// Axis `dim` of an array between the product of the sizes before it and of those after.
Rows rows_of(const Array& array, int64_t dim) {
  Rows rows{1, 1, 1};
  const int rank = PyArray_NDIM(array.get());
  for (int axis = 0; axis < rank; ++axis) {
    const int64_t size = PyArray_DIM(array.get(), axis);
    (axis < dim ? rows.outer : axis == dim ? rows.classes : rows.inner) *= size;
  }
  return rows;
}

// softmax(input, dim), log_softmax(input, dim)
template <bool kLog>
PyObject* forward(Arguments args, Py_ssize_t count) {
  if (!expect(count, 2, kLog ? "log_softmax" : "softmax")) return nullptr;
  const Py_ssize_t dim = PyLong_AsSsize_t(args[1]);
  if (dim == -1 && PyErr_Occurred()) return nullptr;
  if (!is_float(args[0]) || !is_axis(dim, args[0])) return refuse();
  const Array input = contiguous(args[0]);
  Array output = input ? empty_like(input) : Array();
  if (!output) return nullptr;
  const Rows rows = rows_of(input, dim);
  run(input, [&](auto kind) {
    using T = decltype(kind);
    const auto& kernels = softmax_kernels<T>();
    (kLog ? kernels.log_softmax : kernels.softmax)(rows, input.data<T>(), output.data<T>());
  });
  return output.release();
}

// logsumexp_rows(input, dim): [outer, inner]
PyObject* logsumexp(Arguments args, Py_ssize_t count) {
  if (!expect(count, 2, "logsumexp_rows")) return nullptr;
  const Py_ssize_t dim = PyLong_AsSsize_t(args[1]);
  if (dim == -1 && PyErr_Occurred()) return nullptr;
  if (!is_float(args[0]) || !is_axis(dim, args[0])) return refuse();
  const Array input = contiguous(args[0]);
  if (!input) return nullptr;
  const Rows rows = rows_of(input, dim);
  if (rows.classes == 0) return refuse();
  const npy_intp shape[] = {rows.outer, rows.inner};
  Array output(empty_array(2, shape, input.type()));
  if (!output) return nullptr;
  run(input, [&](auto kind) {
    using T = decltype(kind);
    softmax_kernels<T>().logsumexp(rows, input.data<T>(), output.data<T>());
  });
  return output.release();
}

// softmax_backward(grad, output, dim), log_softmax_backward(grad, output, dim)
template <bool kLog>
PyObject* backward(Arguments args, Py_ssize_t count) {
  if (!expect(count, 3, kLog ? "log_softmax_backward" : "softmax_backward")) return nullptr;
  const Py_ssize_t dim = PyLong_AsSsize_t(args[2]);
  if (dim == -1 && PyErr_Occurred()) return nullptr;
  if (!is_float(args[1]) || !is_axis(dim, args[1])) return refuse();
  const Array output = contiguous(args[1]);
  if (!output) return nullptr;
  if (!same_kind(args[0], output)) return refuse();
  const Array grad = contiguous(args[0]);
  if (!grad) return nullptr;
  if (!PyArray_SAMESHAPE(grad.get(), output.get())) return refuse();
  Array grad_input = empty_like(output);
  if (!grad_input) return nullptr;
  const Rows rows = rows_of(output, dim);
  run(output, [&](auto kind) {
    using T = decltype(kind);
    const auto& kernels = softmax_kernels<T>();
    const auto kernel = kLog ? kernels.log_softmax_backward : kernels.softmax_backward;
    kernel(rows, grad.data<T>(), output.data<T>(), grad_input.data<T>());
  });
  return grad_input.release();
}

// What both directions of cross entropy take: arrays made contiguous, sizes agreed.
struct CrossEntropyArguments {
  Array input, target, weight;
  CrossEntropy problem{};
  enum class Reduction { kNone, kMean, kSum } reduction = Reduction::kMean;

  template <typename T>
  const T* weights() const {
    return weight ? weight.data<T>() : nullptr;
  }

  // The kernels index by target, so this holds whoever calls.
  bool targets_inside() const {
    const auto* indices = target.data<int64_t>();
    const int64_t at = minidl::cpu::first_out_of_range(indices, target.size(), problem.rows.classes,
                                                       &problem.ignore_index);
    if (at < 0) return true;
    PyErr_Format(PyExc_IndexError, "Target %lld is out of bounds.",
                 static_cast<long long>(indices[at]));
    return false;
  }

  // False with an error set, or without one where reference is to be asked.
  bool parse(PyObject* input_in, PyObject* target_in, PyObject* weight_in, Arguments options) {
    if (!is_float(input_in) || !is_integer(target_in)) return false;
    input = contiguous(input_in);
    if (!input) return false;
    if (weight_in != Py_None) {
      if (!same_kind(weight_in, input)) return false;
      weight = contiguous(weight_in);
      if (!weight) return false;
    }
    target = as_int64(target_in);
    if (!target) return false;
    problem.rows = rows_of(input, PyArray_NDIM(input.get()) > 1 ? 1 : 0);
    problem.ignore_index = PyLong_AsLongLong(options[0]);
    if (problem.ignore_index == -1 && PyErr_Occurred()) return false;
    const char* name = PyUnicode_AsUTF8(options[1]);
    if (name == nullptr) return false;
    reduction = std::strcmp(name, "none") == 0  ? Reduction::kNone
                : std::strcmp(name, "sum") == 0 ? Reduction::kSum
                                                : Reduction::kMean;
    problem.smoothing = PyFloat_AsDouble(options[2]);
    if (problem.smoothing == -1 && PyErr_Occurred()) return false;
    const bool agree = problem.rows.classes > 0 && target.size() == problem.rows.count() &&
                       (!weight || weight.size() == problem.rows.classes);
    return agree && targets_inside();
  }
};

// cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)
//   -> loss, log_sums, total weight
PyObject* cross_entropy(Arguments args, Py_ssize_t count) {
  if (!expect(count, 6, "cross_entropy")) return nullptr;
  CrossEntropyArguments call;
  if (!call.parse(args[0], args[1], args[2], args + 3)) {
    return PyErr_Occurred() ? nullptr : refuse();
  }
  using Reduction = CrossEntropyArguments::Reduction;
  const int rank = PyArray_NDIM(call.target.get()), type = call.input.type();
  npy_intp* shape = PyArray_DIMS(call.target.get());
  Array losses(PyArray_SimpleNew(rank, shape, type));
  Array log_sums(PyArray_SimpleNew(rank, shape, NPY_DOUBLE));
  Array total(PyArray_SimpleNew(0, nullptr, type));
  Array reduced(call.reduction == Reduction::kNone ? nullptr : PyArray_SimpleNew(0, nullptr, type));
  if (!losses || !log_sums || !total || (call.reduction != Reduction::kNone && !reduced)) {
    return nullptr;
  }
  run(call.input, [&](auto kind) {
    using T = decltype(kind);
    const auto* targets = call.target.data<int64_t>();
    softmax_kernels<T>().cross_entropy(call.problem, call.input.data<T>(), targets,
                                       call.weights<T>(), losses.data<T>(),
                                       log_sums.data<double>());
    const double weight = minidl::cpu::counted_weight(call.problem, targets, call.weights<T>());
    *total.data<T>() = static_cast<T>(weight);
    if (!reduced) return;
    const double sum = minidl::cpu::sum_of(losses.size(), losses.data<T>());
    *reduced.data<T>() = static_cast<T>(call.reduction == Reduction::kMean ? sum / weight : sum);
  });
  return PyTuple_Pack(3, (reduced ? reduced : losses).object(), log_sums.object(), total.object());
}

// cross_entropy_backward(grad, input, target, weight, log_sums, total, ignore_index, reduction,
// label_smoothing)
PyObject* cross_entropy_backward(Arguments args, Py_ssize_t count) {
  if (!expect(count, 9, "cross_entropy_backward")) return nullptr;
  CrossEntropyArguments call;
  if (!call.parse(args[1], args[2], args[3], args + 6)) {
    return PyErr_Occurred() ? nullptr : refuse();
  }
  using Reduction = CrossEntropyArguments::Reduction;
  if (!same_kind(args[0], call.input) || !same_kind(args[5], call.input)) return refuse();
  if (!has_type(args[4], NPY_DOUBLE)) return refuse();
  const Array grad = contiguous(args[0]), log_sums = contiguous(args[4]),
              total = contiguous(args[5]);
  Array grad_input = empty_like(call.input);
  if (!grad || !log_sums || !total || !grad_input) return nullptr;
  const int64_t rows = call.problem.rows.count();
  const bool whole = call.reduction != Reduction::kNone;
  if (grad.size() != (whole ? 1 : rows) || log_sums.size() != rows || total.size() != 1) {
    return refuse();
  }
  run(call.input, [&](auto kind) {
    using T = decltype(kind);
    T scale = whole ? *grad.data<T>() : T(0);
    if (call.reduction == Reduction::kMean) scale /= *total.data<T>();
    softmax_kernels<T>().cross_entropy_backward(call.problem, whole ? &scale : grad.data<T>(),
                                                whole ? 0 : 1, call.input.data<T>(),
                                                call.target.data<int64_t>(), call.weights<T>(),
                                                log_sums.data<double>(), grad_input.data<T>());
  });
  return grad_input.release();
}

// first_out_of_range(indices, limit, ignore) -> position in the flattened array, -1 for none
PyObject* first_out_of_range(Arguments args, Py_ssize_t count) {
  if (!expect(count, 3, "first_out_of_range")) return nullptr;
  if (!is_integer(args[0])) return refuse();
  const Array indices = as_int64(args[0]);
  if (!indices) return nullptr;
  const int64_t limit = PyLong_AsLongLong(args[1]);
  if (limit == -1 && PyErr_Occurred()) return nullptr;
  const bool strict = args[2] == Py_None;
  const int64_t ignore = strict ? 0 : PyLong_AsLongLong(args[2]);
  if (ignore == -1 && PyErr_Occurred()) return nullptr;
  return PyLong_FromLongLong(minidl::cpu::first_out_of_range(
      indices.data<int64_t>(), indices.size(), limit, strict ? nullptr : &ignore));
}

}  // namespace

MINIDL_REGISTER(softmax) {
  if (_import_array() < 0) throw pybind11::error_already_set();
  static PyMethodDef methods[] = {
      fast_method("softmax", guarded<forward<false>>, "softmax(input, dim)"),
      fast_method("log_softmax", guarded<forward<true>>, "log_softmax(input, dim)"),
      fast_method("logsumexp_rows", guarded<logsumexp>,
                  "logsumexp_rows(input, dim): of what lies before dim and behind"),
      fast_method("softmax_backward", guarded<backward<false>>,
                  "softmax_backward(grad, output, dim)"),
      fast_method("log_softmax_backward", guarded<backward<true>>,
                  "log_softmax_backward(grad, output, dim)"),
      fast_method("cross_entropy", guarded<cross_entropy>,
                  "cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)"),
      fast_method(
          "cross_entropy_backward", guarded<cross_entropy_backward>,
          "cross_entropy_backward(grad, input, target, weight, log_sums, total, ignore_index, "
          "reduction, label_smoothing)"),
      fast_method("first_out_of_range", guarded<first_out_of_range>,
                  "first_out_of_range(indices, limit, ignore)"),
      {nullptr, nullptr, 0, nullptr},
  };
  if (PyModule_AddFunctions(m.ptr(), methods) < 0) throw pybind11::error_already_set();
}

}  // namespace minidl::bindings::softmax
