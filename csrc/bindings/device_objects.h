// Array objects of CuPy, and of the stand-in that looks like them, taken and made in C++: on a
// small array, reading their attributes in Python would cost more than a launch may.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>

#include "cuda/array.h"
#include "cuda/stream.h"

namespace minidl::bindings {

// An array object: what the kernels take, and its dtype and shape as Python objects.
struct DeviceObject {
  cuda::Array array;
  pybind11::object dtype, shape;

  bool is_contiguous() const;
};

// Whether `object` looks like an array (it is no number, None or other thing without a dtype).
bool is_device_array(pybind11::handle object);

// Reads pointer, dtype, shape and strides.
DeviceObject read_device_array(pybind11::handle object);

// A new array of module `xp`, uninitialised, of the shape of `like` and laid out as it is: its axes
// in the same order, without gaps.
pybind11::object empty_like(pybind11::handle xp, const DeviceObject& like, pybind11::handle dtype);

// The current stream of module `xp`.
cuda::Stream current_stream(pybind11::handle xp);

// The name of an attribute, made once.
#define MINIDL_INTERNED(name)                                       \
  ([]() -> PyObject* {                                              \
    static PyObject* const text = PyUnicode_InternFromString(name); \
    return text;                                                    \
  }())

// Runs the body of a function that speaks to Python directly; a C++ exception becomes a Python one.
template <class Body>
PyObject* guarded(Body&& body) {
  try {
    return body();
  } catch (pybind11::error_already_set& error) {
    error.restore();
  } catch (const NotSupported& error) {
    PyErr_SetString(PyExc_NotImplementedError, error.what());
  } catch (const TypeMismatch& error) {
    PyErr_SetString(PyExc_TypeError, error.what());
  } catch (const std::invalid_argument& error) {
    PyErr_SetString(PyExc_ValueError, error.what());
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

}  // namespace minidl::bindings
