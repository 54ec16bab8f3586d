// Elementwise functions of minidl._native: see csrc/cpu/elementwise.h.
#include "cpu/elementwise.h"

#include "bindings/fast_call.h"
#include "bindings/registry.h"

namespace minidl::bindings {
namespace {

using namespace minidl::cpu;

// Same shape and strides, no gaps: one flat run over the memory serves any order of the axes.
bool same_layout(PyArrayObject* a, PyArrayObject* b) {
  const int rank = PyArray_NDIM(a);
  if (rank != PyArray_NDIM(b)) return false;
  if (!PyArray_CompareLists(PyArray_DIMS(a), PyArray_DIMS(b), rank)) return false;
  if (PyArray_IS_C_CONTIGUOUS(a) && PyArray_IS_C_CONTIGUOUS(b)) return true;
  return PyArray_IS_F_CONTIGUOUS(a) && PyArray_IS_F_CONTIGUOUS(b);
}

// An array of the same layout as one without gaps.
PyArrayObject* empty_like(PyArrayObject* x) {
  const int fortran = !PyArray_IS_C_CONTIGUOUS(x);
  return empty_array(PyArray_NDIM(x), PyArray_DIMS(x), PyArray_TYPE(x), fortran);
}

template <class Op, class T>
PyObject* unary_array(PyArrayObject* x) {
  PyArrayObject* out = empty_like(x);
  if (out == nullptr) return nullptr;
  const int64_t size = PyArray_SIZE(x);
  return finish(out, size * Op::weight, [=] { unary<Op>(size, data_of<T>(x), data_of<T>(out)); });
}

template <class Op>
PyObject* unary_call(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  if (count != 1 || keywords != nullptr || !is_real(args[0])) return refuse();
  PyArrayObject* x = as_array(args[0]);
  if (!PyArray_IS_C_CONTIGUOUS(x) && !PyArray_IS_F_CONTIGUOUS(x)) return refuse();
  if constexpr (requires { Op::largest; }) {
    if (PyArray_SIZE(x) > Op::largest) return refuse();
  }
  return PyArray_TYPE(x) == NPY_FLOAT32 ? unary_array<Op, float>(x) : unary_array<Op, double>(x);
}

// One array without gaps and one value; `left` says that the value comes first.
template <class Op, class T>
PyObject* with_value(PyArrayObject* x, T value, bool left) {
  if (!PyArray_IS_C_CONTIGUOUS(x) && !PyArray_IS_F_CONTIGUOUS(x)) return refuse();
  PyArrayObject* out = empty_like(x);
  if (out == nullptr) return nullptr;
  const int64_t size = PyArray_SIZE(x);
  return finish(out, size * Op::weight, [&] {
    const T* data = data_of<T>(x);
    if (left) {
      binary<Op>(size, &value, 0, data, 1, data_of<T>(out));
    } else if (std::is_same_v<Op, Pow> && value == 2) {
      unary<Square>(size, data, data_of<T>(out));
    } else {
      binary<Op>(size, data, 1, &value, 0, data_of<T>(out));
    }
  });
}

template <class Op>
PyObject* with_scalar(PyObject* array, PyObject* scalar, bool left) {
  double value;
  if (!is_real(array) || !read_scalar(scalar, value)) return refuse();
  PyArrayObject* x = as_array(array);
  return PyArray_TYPE(x) == NPY_FLOAT32 ? with_value<Op, float>(x, static_cast<float>(value), left)
                                        : with_value<Op, double>(x, value, left);
}

// False where the shapes do not broadcast or have too many dimensions.
bool broadcast(PyArrayObject* a, PyArrayObject* b, Walk<2>& walk, npy_intp* shape, int& rank) {
  const int rank_a = PyArray_NDIM(a), rank_b = PyArray_NDIM(b);
  rank = std::max(rank_a, rank_b);
  if (rank > kWalkRank) return false;
  for (int axis = 0; axis < rank; ++axis) {
    const int in_a = axis - (rank - rank_a), in_b = axis - (rank - rank_b);
    const npy_intp extent_a = in_a < 0 ? 1 : PyArray_DIM(a, in_a);
    const npy_intp extent_b = in_b < 0 ? 1 : PyArray_DIM(b, in_b);
    if (extent_a != extent_b && extent_a != 1 && extent_b != 1) return false;
    shape[axis] = extent_a == 1 ? extent_b : extent_a;
    walk.push(shape[axis], {extent_a == 1 ? 0 : stride_of(a, in_a),  //
                            extent_b == 1 ? 0 : stride_of(b, in_b)});
  }
  return true;
}

template <class Op, class T>
PyObject* binary_arrays(PyArrayObject* a, PyArrayObject* b) {
  if (same_layout(a, b)) {
    PyArrayObject* out = empty_like(a);
    if (out == nullptr) return nullptr;
    const int64_t size = PyArray_SIZE(a);
    return finish(out, size * Op::weight,
                  [=] { binary<Op>(size, data_of<T>(a), 1, data_of<T>(b), 1, data_of<T>(out)); });
  }
  Walk<2> walk;
  npy_intp shape[kWalkRank];
  int rank;
  if (!broadcast(a, b, walk, shape, rank) || !walk.row_major()) return refuse();
  PyArrayObject* out = empty_array(rank, shape, type_number<T>);
  if (out == nullptr || PyArray_SIZE(out) == 0) return reinterpret_cast<PyObject*>(out);
  return finish(out, PyArray_SIZE(out) * Op::weight,
                [&] { binary<Op>(walk, data_of<T>(a), data_of<T>(b), data_of<T>(out)); });
}

template <class Op>
PyObject* binary_call(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  if (count != 2 || keywords != nullptr) return refuse();
  if (!PyArray_Check(args[1])) return with_scalar<Op>(args[0], args[1], false);
  if (!PyArray_Check(args[0])) return with_scalar<Op>(args[1], args[0], true);
  if (!is_real(args[0]) || !is_real(args[1])) return refuse();
  PyArrayObject *a = as_array(args[0]), *b = as_array(args[1]);
  if (PyArray_TYPE(a) != PyArray_TYPE(b)) return refuse();
  return PyArray_TYPE(a) == NPY_FLOAT32 ? binary_arrays<Op, float>(a, b)
                                        : binary_arrays<Op, double>(a, b);
}

PyMethodDef methods[] = {
    fast_method("add", &binary_call<Add>, "add(input, other): input + other"),
    fast_method("sub", &binary_call<Sub>, "sub(input, other): input - other"),
    fast_method("mul", &binary_call<Mul>, "mul(input, other): input * other"),
    fast_method("div", &binary_call<Div>, "div(input, other): input / other"),
    fast_method("maximum", &binary_call<Maximum>, "maximum(input, other); NaN wins"),
    fast_method("minimum", &binary_call<Minimum>, "minimum(input, other); NaN wins"),
    fast_method("pow", &binary_call<Pow>, "pow(input, exponent): input ** exponent"),
    fast_method("relu_grad", &binary_call<ReluGrad>, "relu_grad(g, result): g where result > 0"),
    fast_method("tanh_grad", &binary_call<TanhGrad>, "tanh_grad(g, result): g (1 - result^2)"),
    fast_method("sigmoid_grad", &binary_call<SigmoidGrad>,
                "sigmoid_grad(g, result): g result (1 - result)"),
    fast_method("neg", &unary_call<Neg>, "neg(input): -input"),
    fast_method("abs", &unary_call<Abs>, "abs(input): |input|"),
    fast_method("square", &unary_call<Square>, "square(input): input^2"),
    fast_method("reciprocal", &unary_call<Reciprocal>, "reciprocal(input): 1 / input"),
    fast_method("sqrt", &unary_call<Sqrt>, "sqrt(input): square root"),
    fast_method("rsqrt", &unary_call<Rsqrt>, "rsqrt(input): 1 / sqrt(input)"),
    fast_method("relu", &unary_call<Relu>, "relu(input): max(input, 0); NaN stays NaN"),
    fast_method("exp", &unary_call<Exp>, "exp(input)"),
    fast_method("log", &unary_call<Log>, "log(input): natural logarithm"),
    fast_method("tanh", &unary_call<Tanh>, "tanh(input)"),
    fast_method("sigmoid", &unary_call<Sigmoid>, "sigmoid(input): 1 / (1 + exp(-input))"),
    fast_method("sin", &unary_call<Sin>, "sin(input)"),
    fast_method("cos", &unary_call<Cos>, "cos(input)"),
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace
}  // namespace minidl::bindings

MINIDL_REGISTER(elementwise) {
  if (_import_array() < 0) throw pybind11::error_already_set();
  if (PyModule_AddFunctions(m.ptr(), minidl::bindings::methods) < 0) {
    throw pybind11::error_already_set();
  }
}
