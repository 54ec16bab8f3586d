// Running extremes of NumPy arrays: see csrc/cpu/scans.h and minidl/backends/native/scans.py, which
// makes the results.
#include "cpu/scans.h"

#include "bindings/array.h"
#include "bindings/registry.h"

namespace minidl::bindings::scans {
namespace {

using pybind11::array;

// Input, values and places of one shape [K, R, M], without gaps.
template <bool kLargest>
void scan(const array& input, array values, array places) {
  MINIDL_CHECK(input.ndim() == 3 && c_contiguous(input), "scans: expected contiguous [K, R, M]");
  MINIDL_CHECK(c_contiguous(values) && c_contiguous(places) && values.size() == input.size() &&
                   places.size() == input.size() && values.dtype().equal(input.dtype()) &&
                   places.dtype().equal(pybind11::dtype::of<int64_t>()),
               "scans: results do not fit");
  by_ordered_type(input, "scans", [&](auto zero) {
    using T = decltype(zero);
    const auto kernel = kLargest ? cpu::cummax<T> : cpu::cummin<T>;
    auto* to = static_cast<T*>(values.mutable_data());
    auto* where = static_cast<int64_t*>(places.mutable_data());
    pybind11::gil_scoped_release release;
    kernel(input.shape(0), input.shape(1), input.shape(2), static_cast<const T*>(input.data()), to,
           where);
  });
}

}  // namespace

MINIDL_REGISTER(scans) {
  m.def("cummax", &scan<true>, "Largest elements so far along R of [K, R, M], and their places",
        py::arg("input"), py::arg("values"), py::arg("places"));
  m.def("cummin", &scan<false>, "Smallest elements so far along R of [K, R, M], and their places",
        py::arg("input"), py::arg("values"), py::arg("places"));
}

}  // namespace minidl::bindings::scans
