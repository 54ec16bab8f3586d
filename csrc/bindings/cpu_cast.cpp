// float32 to 16 bits and back on NumPy arrays that the caller made: see csrc/cpu/cast.h and
// minidl/backends/native/casts.py.
#include "cpu/cast.h"

#include "bindings/array.h"
#include "bindings/registry.h"

namespace minidl::bindings::cast {
namespace {

using pybind11::array;

template <class From, class To>
bool converted(void (*kernel)(int64_t, const From*, To*), const array& from, array& to) {
  MINIDL_CHECK(c_contiguous(from) && c_contiguous(to) && addressable(from) && addressable(to) &&
                   from.size() == to.size() && from.itemsize() == sizeof(From) &&
                   to.itemsize() == sizeof(To),
               "cast: expected contiguous arrays of ", sizeof(From), " and ", sizeof(To),
               " bytes an element");
  if (kernel == nullptr) return false;
  const auto* source = static_cast<const From*>(from.data());
  auto* target = static_cast<To*>(to.mutable_data());
  pybind11::gil_scoped_release release;
  kernel(from.size(), source, target);
  return true;
}

bool to_bfloat16(const array& from, array to) {
  return converted(cpu::cast_kernels().to_bfloat16, from, to);
}
bool from_bfloat16(const array& from, array to) {
  return converted(cpu::cast_kernels().from_bfloat16, from, to);
}
bool to_float16(const array& from, array to) {
  return converted(cpu::cast_kernels().to_float16, from, to);
}
bool from_float16(const array& from, array to) {
  return converted(cpu::cast_kernels().from_float16, from, to);
}

}  // namespace

MINIDL_REGISTER(cast) {
  const char* text = "to = from; False where this processor has no such conversion";
  m.def("to_bfloat16", &to_bfloat16, text, py::arg("source"), py::arg("target"));
  m.def("from_bfloat16", &from_bfloat16, text, py::arg("source"), py::arg("target"));
  m.def("to_float16", &to_float16, text, py::arg("source"), py::arg("target"));
  m.def("from_float16", &from_float16, text, py::arg("source"), py::arg("target"));
}

}  // namespace minidl::bindings::cast
