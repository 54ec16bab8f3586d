// minidl._native: CPU kernels on NumPy arrays. The families define their functions themselves.
#include <pybind11/pybind11.h>

#include "bindings/registry.h"
#include "bindings/translate.h"
#include "cpu/isa.h"

PYBIND11_MODULE(_native, m) {
#if defined(__x86_64__)
  // Compiled for x86-64-v2: better no extension than an illegal instruction.
  if (!__builtin_cpu_supports("sse4.2") || !__builtin_cpu_supports("popcnt")) {
    throw pybind11::import_error(
        "this processor has no SSE4.2, which minidl._native is compiled for");
  }
#endif
  if (const char* complaint = minidl::cpu::isa_complaint()) {
    if (PyErr_WarnEx(PyExc_RuntimeWarning, complaint, 1) < 0) throw pybind11::error_already_set();
  }
  m.doc() = "CPU kernels of minidl (see minidl/backends/native).";
  minidl::bindings::translate_exceptions();
  minidl::bindings::define_families(m);
  m.attr("instruction_set") = minidl::cpu::isa_name();
}
