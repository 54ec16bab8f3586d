// Small matrix products of minidl._native: see csrc/cpu/small_matmul.h.
#include "cpu/small_matmul.h"

#include "bindings/fast_call.h"
#include "bindings/registry.h"

namespace minidl::bindings {
namespace {

using namespace minidl::cpu;

bool is_matrix(PyObject* object) { return is_real(object) && PyArray_NDIM(as_array(object)) == 2; }

// a[M, K] times b[K, N], or times b[N, K] transposed; bias may be null.
template <class T>
PyObject* product(PyArrayObject* a, PyArrayObject* b, bool transposed, PyArrayObject* bias) {
  const int row = transposed ? 1 : 0, col = transposed ? 0 : 1;
  const npy_intp shape[] = {PyArray_DIM(a, 0), PyArray_DIM(b, col)};
  PyArrayObject* out = empty_array(2, shape, type_number<T>);
  if (out == nullptr) return nullptr;
  small_matmul(shape[0], shape[1], PyArray_DIM(a, 1), data_of<T>(a), stride_of(a, 0),
               stride_of(a, 1), data_of<T>(b), stride_of(b, row), stride_of(b, col),
               bias == nullptr ? nullptr : data_of<T>(bias), data_of<T>(out));
  return reinterpret_cast<PyObject*>(out);
}

PyObject* matmul_call(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  if (count != 2 || keywords != nullptr) return refuse();
  if (!is_matrix(args[0]) || !is_matrix(args[1])) return refuse();
  PyArrayObject *a = as_array(args[0]), *b = as_array(args[1]);
  const npy_intp m = PyArray_DIM(a, 0), k = PyArray_DIM(a, 1), n = PyArray_DIM(b, 1);
  if (PyArray_TYPE(a) != PyArray_TYPE(b) || PyArray_DIM(b, 0) != k) return refuse();
  if (!is_small_product(m, n, k)) return refuse();
  return PyArray_TYPE(a) == NPY_FLOAT32 ? product<float>(a, b, false, nullptr)
                                        : product<double>(a, b, false, nullptr);
}

PyObject* linear_call(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  if (count != 3 || keywords != nullptr) return refuse();
  if (!is_matrix(args[0]) || !is_matrix(args[1])) return refuse();
  PyArrayObject *x = as_array(args[0]), *weight = as_array(args[1]), *bias = nullptr;
  const npy_intp m = PyArray_DIM(x, 0), k = PyArray_DIM(x, 1), n = PyArray_DIM(weight, 0);
  if (PyArray_TYPE(x) != PyArray_TYPE(weight) || PyArray_DIM(weight, 1) != k) return refuse();
  if (!is_small_product(m, n, k)) return refuse();
  if (args[2] != Py_None) {
    if (!is_real(args[2])) return refuse();
    bias = as_array(args[2]);
    const bool fits = PyArray_NDIM(bias) == 1 && PyArray_DIM(bias, 0) == n;
    if (!fits || PyArray_TYPE(bias) != PyArray_TYPE(x)) return refuse();
    if (!PyArray_IS_C_CONTIGUOUS(bias)) return refuse();
  }
  return PyArray_TYPE(x) == NPY_FLOAT32 ? product<float>(x, weight, true, bias)
                                        : product<double>(x, weight, true, bias);
}

PyMethodDef methods[] = {
    fast_method("matmul", &matmul_call, "matmul(input, other): product of two small matrices"),
    fast_method("linear", &linear_call,
                "linear(input, weight, bias): input weight^T + bias of small matrices"),
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace
}  // namespace minidl::bindings

MINIDL_REGISTER(small_matmul) {
  if (_import_array() < 0) throw pybind11::error_already_set();
  if (PyModule_AddFunctions(m.ptr(), minidl::bindings::methods) < 0) {
    throw pybind11::error_already_set();
  }
}
