// minidl._native: CPU kernels on NumPy arrays. The families define their functions themselves.
#include <pybind11/pybind11.h>

#include "bindings/registry.h"
#include "bindings/translate.h"

PYBIND11_MODULE(_native, m) {
  m.doc() = "CPU kernels of minidl (see minidl/backends/native).";
  minidl::bindings::translate_exceptions();
  minidl::bindings::define_families(m);
}
