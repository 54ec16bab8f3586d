// C++ exceptions of csrc/common to Python exceptions. pybind11 maps std::invalid_argument to
// ValueError, std::out_of_range to IndexError and std::bad_alloc to MemoryError by itself.
#pragma once

#include <pybind11/pybind11.h>

#include "common/checks.h"

namespace minidl::bindings {

inline void translate_exceptions() {
  pybind11::register_local_exception_translator([](std::exception_ptr raised) {
    try {
      if (raised) std::rethrow_exception(raised);
    } catch (const NotSupported& error) {
      PyErr_SetString(PyExc_NotImplementedError, error.what());
    } catch (const TypeMismatch& error) {
      PyErr_SetString(PyExc_TypeError, error.what());
    }
  });
}

// What a function returns for arguments that it cannot take; the namespace then asks reference.
inline pybind11::object not_implemented() {
  return pybind11::reinterpret_borrow<pybind11::object>(Py_NotImplemented);
}

}  // namespace minidl::bindings
