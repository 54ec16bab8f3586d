// Embedding of NumPy arrays; names and arguments are those of
// minidl/backends/reference/embedding.py. An index that is out of range is left to the reference.
#include "cpu/embedding.h"

#include <vector>

#include "bindings/owned_array.h"
#include "bindings/registry.h"
#include "cpu/softmax.h"

namespace minidl::bindings::embedding {
namespace {

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

}  // namespace

MINIDL_REGISTER(embedding) {
  if (_import_array() < 0) throw pybind11::error_already_set();
  static PyMethodDef methods[] = {
      fast_method("embedding", guarded<embedding>, "embedding(indices, weight)"),
      fast_method(
          "embedding_dense_backward", guarded<embedding_dense_backward>,
          "embedding_dense_backward(grad, indices, num_weights, padding_idx, scale_grad_by_freq)"),
      {nullptr, nullptr, 0, nullptr},
  };
  if (PyModule_AddFunctions(m.ptr(), methods) < 0) throw pybind11::error_already_set();
}

}  // namespace minidl::bindings::embedding
