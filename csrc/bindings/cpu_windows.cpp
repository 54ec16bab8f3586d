// Windows of NumPy arrays: see csrc/cpu/windows.h and minidl/backends/native/strided.py, which
// makes the results.
#include "cpu/windows.h"

#include "bindings/array.h"
#include "bindings/registry.h"

namespace minidl::bindings::windows {
namespace {

using pybind11::array;

// Windows [outer, count, inner, size], out [outer, length, inner]; contiguous.
void fold_windows(const array& given, int64_t step, array out) {
  MINIDL_CHECK(c_contiguous(given) && c_contiguous(out) && addressable(given) && addressable(out) &&
                   given.ndim() == 4 && out.ndim() == 3 && given.dtype().equal(out.dtype()),
               "windows: expected contiguous arrays of one dtype");
  const cpu::WindowsProblem p{out.shape(0),   out.shape(1),   out.shape(2),
                              given.shape(1), given.shape(3), step};
  MINIDL_CHECK(given.shape(0) == p.outer && given.shape(2) == p.inner && step >= 1 &&
                   p.size <= p.length &&
                   (p.count == 0 || (p.count - 1) <= (p.length - p.size) / step),
               "windows: shapes do not fit");
  const auto dtype = dtype_of(given);
  MINIDL_CHECK(dtype.has_value(), "windows: elements of another type");
  dispatch_real(*dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    auto* to = static_cast<T*>(out.mutable_data());
    pybind11::gil_scoped_release release;
    cpu::fold_windows(p, static_cast<const T*>(given.data()), to);
  });
}

}  // namespace

MINIDL_REGISTER(windows) {
  m.def("fold_windows", &fold_windows, "out = the sums of windows, where they lay",
        py::arg("windows"), py::arg("step"), py::arg("out"));
}

}  // namespace minidl::bindings::windows
