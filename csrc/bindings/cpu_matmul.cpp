// Matrix products of minidl._native: see csrc/cpu/matmul.h, and csrc/cpu/small_matmul.h for those
// where the call costs more than the product.
#include "cpu/matmul.h"

#include "bindings/fast_call.h"
#include "bindings/registry.h"
#include "cpu/small_matmul.h"

namespace minidl::bindings::matmul {
namespace {

using namespace minidl::cpu;

// The last two axes of b, exchanged where the product is with b transposed.
struct Axes {
  int row, col;
  Axes(PyArrayObject* array, bool transposed) {
    const int rank = PyArray_NDIM(array);
    row = rank - (transposed ? 1 : 2);
    col = rank - (transposed ? 2 : 1);
  }
};

bool is_matrices(PyObject* object) {
  return is_real(object) && PyArray_NDIM(as_array(object)) >= 2;
}

template <class T>
Matrix<T> matrix_of(PyArrayObject* array, const Axes& axes) {
  return {data_of<T>(array), stride_of(array, axes.row), stride_of(array, axes.col)};
}

// a[M, K] times b[K, N], or times b[N, K] transposed; bias may be null.
template <class T>
PyObject* small_product(PyArrayObject* a, PyArrayObject* b, bool transposed, PyArrayObject* bias) {
  const Axes axes(b, transposed);
  const npy_intp shape[] = {PyArray_DIM(a, 0), PyArray_DIM(b, axes.col)};
  PyArrayObject* out = empty_array(2, shape, type_number<T>);
  if (out == nullptr) return nullptr;
  small_matmul(shape[0], shape[1], PyArray_DIM(a, 1), data_of<T>(a), stride_of(a, 0),
               stride_of(a, 1), data_of<T>(b), stride_of(b, axes.row), stride_of(b, axes.col),
               bias == nullptr ? nullptr : data_of<T>(bias), data_of<T>(out));
  return reinterpret_cast<PyObject*>(out);
}

// Broadcasts the leading axes of a and b into out_shape; false where they do not.
template <class T>
bool plan_batch(PyArrayObject* a, PyArrayObject* b, MatmulProblem<T>& problem,
                npy_intp* out_shape) {
  const int a_rank = PyArray_NDIM(a) - 2, b_rank = PyArray_NDIM(b) - 2;
  problem.rank = a_rank > b_rank ? a_rank : b_rank;
  for (int d = 0; d < problem.rank; ++d) {
    const int in_a = d - (problem.rank - a_rank), in_b = d - (problem.rank - b_rank);
    const npy_intp from_a = in_a < 0 ? 1 : PyArray_DIM(a, in_a);
    const npy_intp from_b = in_b < 0 ? 1 : PyArray_DIM(b, in_b);
    if (from_a != from_b && from_a != 1 && from_b != 1) return false;
    problem.batch[d] = out_shape[d] = from_a == 1 ? from_b : from_a;
    problem.a_stride[d] = from_a == 1 ? 0 : stride_of(a, in_a);
    problem.b_stride[d] = from_b == 1 ? 0 : stride_of(b, in_b);
  }
  return true;
}

// a[..., M, K] times b[..., K, N], or times b[..., N, K] transposed.
template <class T>
PyObject* product(PyArrayObject* a, PyArrayObject* b, bool transposed, PyArrayObject* bias) {
  const Axes a_axes(a, false), b_axes(b, transposed);
  const int64_t M = PyArray_DIM(a, a_axes.row), N = PyArray_DIM(b, b_axes.col);
  const int64_t K = PyArray_DIM(a, a_axes.col);
  MatmulProblem<T> problem;
  problem.shape = {M, N, K};
  problem.a = matrix_of<T>(a, a_axes);
  problem.b = matrix_of<T>(b, b_axes);
  npy_intp shape[kMaxRank];
  if (!plan_batch(a, b, problem, shape)) return refuse();
  shape[problem.rank] = M;
  shape[problem.rank + 1] = N;
  PyArrayObject* out = empty_array(problem.rank + 2, shape, type_number<T>);
  if (out == nullptr) return nullptr;
  const int64_t size = PyArray_SIZE(out);
  if (size == 0) return reinterpret_cast<PyObject*>(out);
  problem.c = data_of<T>(out);
  if (bias != nullptr) problem.epilogue.bias = data_of<T>(bias);
  return finish(out, size * (K + 1), [&] { cpu::matmul(problem); });
}

// Larger products in double belong to the BLAS.
PyObject* any_product(PyArrayObject* a, PyArrayObject* b, bool transposed, PyArrayObject* bias) {
  const Axes b_axes(b, transposed);
  const bool single = PyArray_TYPE(a) == NPY_FLOAT32;
  if (PyArray_NDIM(a) == 2 && PyArray_NDIM(b) == 2 &&
      is_small_product(PyArray_DIM(a, 0), PyArray_DIM(b, b_axes.col), PyArray_DIM(a, 1))) {
    return single ? small_product<float>(a, b, transposed, bias)
                  : small_product<double>(a, b, transposed, bias);
  }
  return single ? product<float>(a, b, transposed, bias) : refuse();
}

PyObject* matmul_call(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  if (count != 2 || keywords != nullptr) return refuse();
  if (!is_matrices(args[0]) || !is_matrices(args[1])) return refuse();
  PyArrayObject *a = as_array(args[0]), *b = as_array(args[1]);
  const int a_col = PyArray_NDIM(a) - 1, b_row = PyArray_NDIM(b) - 2;
  if (PyArray_TYPE(a) != PyArray_TYPE(b) || PyArray_DIM(b, b_row) != PyArray_DIM(a, a_col)) {
    return refuse();
  }
  return any_product(a, b, false, nullptr);
}

PyObject* linear_call(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  if (count != 3 || keywords != nullptr) return refuse();
  if (!is_matrices(args[0]) || !is_matrices(args[1])) return refuse();
  PyArrayObject *x = as_array(args[0]), *weight = as_array(args[1]), *bias = nullptr;
  if (PyArray_NDIM(weight) != 2 || PyArray_TYPE(x) != PyArray_TYPE(weight)) return refuse();
  if (PyArray_DIM(weight, 1) != PyArray_DIM(x, PyArray_NDIM(x) - 1)) return refuse();
  if (args[2] != Py_None) {
    if (!is_real(args[2])) return refuse();
    bias = as_array(args[2]);
    const bool fits = PyArray_NDIM(bias) == 1 && PyArray_DIM(bias, 0) == PyArray_DIM(weight, 0);
    if (!fits || PyArray_TYPE(bias) != PyArray_TYPE(x)) return refuse();
    if (!PyArray_IS_C_CONTIGUOUS(bias)) return refuse();
  }
  return any_product(x, weight, true, bias);
}

PyMethodDef methods[] = {
    fast_method("matmul", &matmul_call, "matmul(input, other): batched product of matrices"),
    fast_method("linear", &linear_call, "linear(input, weight, bias): input weight^T + bias"),
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

MINIDL_REGISTER(matmul) {
  if (_import_array() < 0) throw pybind11::error_already_set();
  if (PyModule_AddFunctions(m.ptr(), methods) < 0) {
    throw pybind11::error_already_set();
  }
}

}  // namespace minidl::bindings::matmul
