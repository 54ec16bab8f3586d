// The hottest functions speak to Python and NumPy directly: on a 4 x 4 array pybind11's argument
// casters would cost more than the whole operation may. Everything else uses pybind11.
//
// Every function takes the positional arguments of its reference twin and returns NotImplemented
// for whatever it does not handle; checks and error texts are the business of minidl/ops.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#ifndef NPY_NO_DEPRECATED_API
#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#endif
#include <numpy/arrayobject.h>

#include <cstdint>
#include <exception>
#include <type_traits>

namespace minidl::bindings {

using Function = PyObject* (*)(PyObject*, PyObject* const*, Py_ssize_t, PyObject*);

inline PyObject* refuse() { return Py_NewRef(Py_NotImplemented); }

inline PyMethodDef fast_method(const char* name, Function function, const char* doc) {
  return {name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function)),
          METH_FASTCALL | METH_KEYWORDS, doc};
}

template <class T>
inline constexpr int type_number = std::is_same_v<T, float> ? NPY_FLOAT32 : NPY_FLOAT64;

// float32 or float64 in this machine's byte order, aligned, and of no subclass.
inline bool is_real(PyObject* object) {
  if (!PyArray_CheckExact(object)) return false;
  auto* array = reinterpret_cast<PyArrayObject*>(object);
  const int type = PyArray_TYPE(array);
  return (type == NPY_FLOAT32 || type == NPY_FLOAT64) && PyArray_ISBEHAVED_RO(array);
}

inline PyArrayObject* as_array(PyObject* object) {
  return reinterpret_cast<PyArrayObject*>(object);
}

// The same for int64.
inline bool is_whole(PyObject* object) {
  if (!PyArray_CheckExact(object)) return false;
  PyArrayObject* array = as_array(object);
  return PyArray_TYPE(array) == NPY_INT64 && PyArray_ISBEHAVED_RO(array);
}

template <class T>
T* data_of(PyArrayObject* array) {
  return static_cast<T*>(PyArray_DATA(array));
}

// A stride in elements. Aligned arrays have no others, but for axes of extent 1, which are skipped.
inline int64_t stride_of(PyArrayObject* array, int axis) {
  return PyArray_STRIDE(array, axis) / static_cast<int64_t>(PyArray_ITEMSIZE(array));
}

// A new uninitialised array for a result (see bindings/output.h); C order unless `fortran`. Null
// with a Python error set where memory is short.
PyArrayObject* empty_array(int rank, const npy_intp* shape, int type, bool fortran = false);

// A Python float or int (not NumPy's scalars: they bring a dtype of their own).
inline bool read_scalar(PyObject* object, double& value) {
  if (PyFloat_CheckExact(object)) {
    value = PyFloat_AS_DOUBLE(object);
    return true;
  }
  if (!PyLong_CheckExact(object)) return false;
  value = PyLong_AsDouble(object);
  if (value == -1.0 && PyErr_Occurred()) {
    PyErr_Clear();  // too large for a float
    return false;
  }
  return true;
}

// Whether an object is an array of numbers or truth values that lie aligned in the machine's own
// byte order.
inline bool is_plain(PyObject* object) {
  if (!PyArray_CheckExact(object)) return false;
  auto* array = as_array(object);
  const int type = PyArray_TYPE(array);
  const bool number = PyTypeNum_ISNUMBER(type) || type == NPY_BOOL || PyTypeNum_ISUSERDEF(type);
  return number && PyArray_ISBEHAVED_RO(array);
}

// Runs a kernel, without the GIL where it is long enough for other threads to profit, and hands
// over the result; a C++ exception becomes a Python one.
template <class Kernel>
PyObject* finish(PyArrayObject* result, int64_t work, Kernel&& kernel) {
  PyThreadState* state = work > 32768 ? PyEval_SaveThread() : nullptr;
  const char* error = nullptr;
  try {
    kernel();
  } catch (const std::exception&) {
    error = "out of memory or threads in a CPU kernel";
  }
  if (state != nullptr) PyEval_RestoreThread(state);
  if (error == nullptr) return reinterpret_cast<PyObject*>(result);
  Py_DECREF(result);
  PyErr_SetString(PyExc_MemoryError, error);
  return nullptr;
}

}  // namespace minidl::bindings
