// Dropout of minidl._native: see csrc/cpu/dropout.h.
#include "cpu/dropout.h"

#include "bindings/fast_call.h"
#include "bindings/registry.h"

namespace minidl::bindings::dropout {
namespace {

using namespace minidl::cpu;

constexpr int64_t kWeight = 4;  // of an element, for finish()

// A 64-bit unsigned integer of Python.
bool read_unsigned(PyObject* object, uint64_t& value) {
  if (!PyLong_CheckExact(object)) return false;
  value = PyLong_AsUnsignedLongLong(object);
  if (value != UINT64_MAX || !PyErr_Occurred()) return true;
  PyErr_Clear();
  return false;
}

template <class T>
PyObject* draw(PyArrayObject* input, double p, double scale, Stream stream) {
  PyArrayObject* mask = empty_array(PyArray_NDIM(input), PyArray_DIMS(input), NPY_BOOL);
  if (mask == nullptr) return nullptr;
  PyArrayObject* out = empty_array(PyArray_NDIM(input), PyArray_DIMS(input), type_number<T>);
  if (out == nullptr) {
    Py_DECREF(mask);
    return nullptr;
  }
  const int64_t size = PyArray_SIZE(input);
  const MaskedScale<T> at{static_cast<T>(scale), data_of<T>(input), data_of<T>(out)};
  PyObject* done = finish(out, size * kWeight, [&] {
    draw_dropout(at, static_cast<float>(p), data_of<uint8_t>(mask), size, stream);
  });
  if (done == nullptr) {
    Py_DECREF(mask);
    return nullptr;
  }
  return Py_BuildValue("(NN)", done, mask);
}

PyObject* dropout_call(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  double p, scale;
  Stream stream;
  if (count != 5 || keywords != nullptr || !is_real(args[0]) || !read_scalar(args[1], p) ||
      !read_scalar(args[2], scale) || !read_unsigned(args[3], stream.seed) ||
      !read_unsigned(args[4], stream.offset) || !(p >= 0 && p <= 1)) {
    return refuse();
  }
  PyArrayObject* input = as_array(args[0]);
  if (!PyArray_IS_C_CONTIGUOUS(input)) return refuse();
  return PyArray_TYPE(input) == NPY_FLOAT32 ? draw<float>(input, p, scale, stream)
                                            : draw<double>(input, p, scale, stream);
}

template <class T>
PyObject* apply(PyArrayObject* input, PyArrayObject* mask, double scale) {
  PyArrayObject* out = empty_array(PyArray_NDIM(input), PyArray_DIMS(input), type_number<T>);
  if (out == nullptr) return nullptr;
  const int64_t size = PyArray_SIZE(input);
  const MaskedScale<T> at{static_cast<T>(scale), data_of<T>(input), data_of<T>(out)};
  return finish(out, size, [&] { apply_dropout(at, data_of<const uint8_t>(mask), size); });
}

PyObject* masked_scale_call(PyObject*, PyObject* const* args, Py_ssize_t count,
                            PyObject* keywords) {
  double scale;
  if (count != 3 || keywords != nullptr || !is_real(args[0]) || !PyArray_CheckExact(args[1]) ||
      !read_scalar(args[2], scale)) {
    return refuse();
  }
  PyArrayObject *input = as_array(args[0]), *mask = as_array(args[1]);
  if (PyArray_TYPE(mask) != NPY_BOOL || PyArray_NDIM(mask) != PyArray_NDIM(input) ||
      !PyArray_CompareLists(PyArray_DIMS(input), PyArray_DIMS(mask), PyArray_NDIM(input)) ||
      !PyArray_IS_C_CONTIGUOUS(input) || !PyArray_IS_C_CONTIGUOUS(mask)) {
    return refuse();
  }
  return PyArray_TYPE(input) == NPY_FLOAT32 ? apply<float>(input, mask, scale)
                                            : apply<double>(input, mask, scale);
}

PyMethodDef methods[] = {
    fast_method("dropout", &dropout_call,
                "dropout(input, p, scale, seed, offset): the scaled input and the mask"),
    fast_method("masked_scale", &masked_scale_call,
                "masked_scale(input, mask, scale): input * mask * scale"),
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

MINIDL_REGISTER(dropout) {
  if (_import_array() < 0) throw pybind11::error_already_set();
  if (PyModule_AddFunctions(m.ptr(), methods) < 0) {
    throw pybind11::error_already_set();
  }
}

}  // namespace minidl::bindings::dropout
