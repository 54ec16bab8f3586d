// Embedding of NumPy arrays; names and arguments are those of
// minidl/backends/reference/embedding.py. An index that is out of range is left to the reference.
#include "cpu/embedding.h"

#include <vector>

#include "bindings/owned_array.h"
#include "bindings/registry.h"
#include "cpu/softmax.h"

namespace minidl::bindings::embedding {
namespace {

using minidl::cpu::Bags;
using minidl::cpu::Embedding;
using minidl::cpu::embedding_kernels;

bool inside(const Array& indices, int64_t rows) {
  return minidl::cpu::first_out_of_range(indices.data<int64_t>(), indices.size(), rows, nullptr) <
         0;
}

// embedding(indices, weight)
PyObject* embedding(Arguments args, Py_ssize_t count) {
  if (!expect(count, 2, "embedding")) return nullptr;
  if (!is_integer(args[0]) || !is_float(args[1]) || PyArray_NDIM(as_array(args[1])) != 2) {
    return refuse();
  }
  const Array indices = as_int64(args[0]), table = contiguous(args[1]);
  if (!indices || !table) return nullptr;
  if (!inside(indices, table.shape()[0])) return refuse();
  std::vector<npy_intp> shape(indices.shape(), indices.shape() + indices.rank());
  shape.push_back(table.shape()[1]);
  if (shape.size() > NPY_MAXDIMS) return refuse();
  Array output(empty_array(static_cast<int>(shape.size()), shape.data(), table.type()));
  if (!output) return nullptr;
  const Embedding problem{table.shape()[0], table.shape()[1], indices.size(), -1, false};
  run(output, [&](auto kind) {
    using T = decltype(kind);
    embedding_kernels<T>().embedding(problem, indices.data<int64_t>(), table.data<T>(),
                                     output.data<T>());
  });
  return output.release();
}

// embedding_dense_backward(grad, indices, num_weights, padding_idx, scale_grad_by_freq)
PyObject* embedding_dense_backward(Arguments args, Py_ssize_t count) {
  if (!expect(count, 5, "embedding_dense_backward")) return nullptr;
  if (!is_float(args[0]) || !is_integer(args[1]) || !PyBool_Check(args[4])) return refuse();
  const int rank = PyArray_NDIM(as_array(args[0]));
  if (rank < 1) return refuse();
  const npy_intp shape[] = {PyLong_AsSsize_t(args[2]), PyArray_DIM(as_array(args[0]), rank - 1)};
  const int64_t padding = PyLong_AsLongLong(args[3]);
  if (PyErr_Occurred()) return nullptr;
  const Array indices = as_int64(args[1]), grad = contiguous(args[0]);
  if (!indices || !grad) return nullptr;
  if (shape[0] < 0 || grad.size() != indices.size() * shape[1] || !inside(indices, shape[0])) {
    return refuse();
  }
  Array table(empty_array(2, shape, grad.type()));
  if (!table || table.size() == 0) return table.release();
  const Embedding problem{shape[0], shape[1], indices.size(), padding, args[4] == Py_True};
  run(table, [&](auto kind) {
    using T = decltype(kind);
    embedding_kernels<T>().embedding_backward(problem, indices.data<int64_t>(), grad.data<T>(),
                                              table.data<T>());
  });
  return table.release();
}

// Indices [count, size] into a table, weights of that shape, what belongs to the bags [count,
// width].
struct BagArguments {
  Array indices, first, second;
  Bags problem{};

  // `rows` and `width` are those of the table.
  bool parse(PyObject* indices_in, PyObject* first_in, PyObject* second_in) {
    if (!is_integer(indices_in) || PyArray_NDIM(as_array(indices_in)) != 2) return false;
    if (!is_float(first_in) || PyArray_NDIM(as_array(first_in)) != 2) return false;
    indices = as_int64(indices_in);
    first = contiguous(first_in);
    if (!indices || !first || !same_kind(second_in, first)) return false;
    second = contiguous(second_in);
    if (!second || PyArray_NDIM(second.get()) != 2) return false;
    problem.count = indices.shape()[0];
    problem.size = indices.shape()[1];
    return true;
  }
  bool of_bags(const Array& array) const { return array.shape()[0] == problem.count; }
  bool weighs(const Array& array) const {
    return of_bags(array) && array.shape()[1] == problem.size;
  }
  bool over(int64_t rows, int64_t width) {
    problem.rows = rows;
    problem.width = width;
    return rows >= 0 && inside(indices, rows);
  }
};

// kernel(problem, ...) into a new array [rows, columns].
template <class Kernel>
PyObject* from_bags(const BagArguments& call, npy_intp rows, npy_intp columns,
                    const Kernel& kernel) {
  const npy_intp shape[] = {rows, columns};
  Array output(empty_array(2, shape, call.first.type()));
  if (!output || output.size() == 0) return output.release();
  run(output, [&](auto kind) {
    using T = decltype(kind);
    kernel(embedding_kernels<T>(), call.indices.template data<int64_t>(),
           call.first.template data<T>(), call.second.template data<T>(),
           output.template data<T>());
  });
  return output.release();
}

PyObject* refuse_or_fail() { return PyErr_Occurred() ? nullptr : refuse(); }

// bag_rows(indices, weights, table)
PyObject* bag_rows(Arguments args, Py_ssize_t count) {
  if (!expect(count, 3, "bag_rows")) return nullptr;
  BagArguments call;
  if (!call.parse(args[0], args[1], args[2]) || !call.weighs(call.first) ||
      !call.over(call.second.shape()[0], call.second.shape()[1])) {
    return refuse_or_fail();
  }
  const Bags& p = call.problem;
  return from_bags(call, p.count, p.width,
                   [&](const auto& kernels, const int64_t* indices, auto* weights, auto* table,
                       auto* out) { kernels.bag_rows(p, indices, weights, table, out); });
}

// bag_table(grad, indices, weights, rows)
PyObject* bag_table(Arguments args, Py_ssize_t count) {
  if (!expect(count, 4, "bag_table")) return nullptr;
  const int64_t rows = PyLong_AsLongLong(args[3]);
  if (rows == -1 && PyErr_Occurred()) return nullptr;
  BagArguments call;
  if (!call.parse(args[1], args[0], args[2]) || !call.of_bags(call.first) ||
      !call.weighs(call.second) || !call.over(rows, call.first.shape()[1])) {
    return refuse_or_fail();
  }
  const Bags& p = call.problem;
  return from_bags(call, p.rows, p.width,
                   [&](const auto& kernels, const int64_t* indices, auto* grad, auto* weights,
                       auto* out) { kernels.bag_table(p, grad, indices, weights, out); });
}

// bag_weights(grad, indices, table)
PyObject* bag_weights(Arguments args, Py_ssize_t count) {
  if (!expect(count, 3, "bag_weights")) return nullptr;
  BagArguments call;
  if (!call.parse(args[1], args[0], args[2]) || !call.of_bags(call.first) ||
      call.first.shape()[1] != call.second.shape()[1] ||
      !call.over(call.second.shape()[0], call.second.shape()[1])) {
    return refuse_or_fail();
  }
  const Bags& p = call.problem;
  return from_bags(call, p.count, p.size,
                   [&](const auto& kernels, const int64_t* indices, auto* grad, auto* table,
                       auto* out) { kernels.bag_weights(p, grad, indices, table, out); });
}

}  // namespace

MINIDL_REGISTER(embedding) {
  if (_import_array() < 0) throw pybind11::error_already_set();
  static PyMethodDef methods[] = {
      fast_method("embedding", guarded<embedding>, "embedding(indices, weight)"),
      fast_method(
          "embedding_dense_backward", guarded<embedding_dense_backward>,
          "embedding_dense_backward(grad, indices, num_weights, padding_idx, scale_grad_by_freq)"),
      fast_method("bag_rows", guarded<bag_rows>, "bag_rows(indices, weights, table)"),
      fast_method("bag_table", guarded<bag_table>, "bag_table(grad, indices, weights, rows)"),
      fast_method("bag_weights", guarded<bag_weights>, "bag_weights(grad, indices, table)"),
      {nullptr, nullptr, 0, nullptr},
  };
  if (PyModule_AddFunctions(m.ptr(), methods) < 0) throw pybind11::error_already_set();
}

}  // namespace minidl::bindings::embedding
