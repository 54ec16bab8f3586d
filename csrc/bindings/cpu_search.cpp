// Searching in NumPy arrays: see csrc/cpu/search.h and minidl/backends/native/search.py, which
// makes the results.
#include "cpu/search.h"

#include "bindings/array.h"
#include "bindings/registry.h"

namespace minidl::bindings::search {
namespace {

using pybind11::array;

void check(const array& first, const array& second, const array& out, const pybind11::dtype& type) {
  MINIDL_CHECK(c_contiguous(first) && c_contiguous(second) && c_contiguous(out) &&
                   addressable(first) && addressable(second) && addressable(out) &&
                   first.dtype().equal(second.dtype()) && out.dtype().equal(type),
               "search: expected contiguous arrays of one dtype");
}

template <class Body>
void by_type(const array& given, const Body& body) {
  const auto dtype = dtype_of(given);
  MINIDL_CHECK(dtype.has_value(), "search: elements of another type");
  dispatch_real(*dtype, [&](auto type) { body(typename decltype(type)::type{}); });
}

// Boundaries [1 or rows, size], values and places [rows, wanted].
void search_sorted(const array& boundaries, const array& values, bool right, array places) {
  check(boundaries, values, places, pybind11::dtype::of<int64_t>());
  MINIDL_CHECK(boundaries.ndim() == 2 && values.ndim() == 2 && places.size() == values.size(),
               "search: expected rows");
  const bool shared = boundaries.shape(0) == 1;
  MINIDL_CHECK(shared || boundaries.shape(0) == values.shape(0), "search: rows do not fit");
  const cpu::SearchProblem p{values.shape(0), boundaries.shape(1), values.shape(1), shared, right};
  by_type(boundaries, [&](auto zero) {
    using T = decltype(zero);
    auto* to = static_cast<int64_t*>(places.mutable_data());
    pybind11::gil_scoped_release release;
    cpu::search_sorted(p, static_cast<const T*>(boundaries.data()),
                       static_cast<const T*>(values.data()), to);
  });
}

void count_between(const array& edges, const array& values, array counts) {
  check(edges, values, counts, pybind11::dtype::of<double>());
  MINIDL_CHECK(edges.ndim() == 1 && edges.size() >= 2 && counts.size() == edges.size() - 1,
               "search: edges do not fit");
  by_type(edges, [&](auto zero) {
    using T = decltype(zero);
    auto* to = static_cast<double*>(counts.mutable_data());
    pybind11::gil_scoped_release release;
    cpu::count_between(edges.size(), static_cast<const T*>(edges.data()), values.size(),
                       static_cast<const T*>(values.data()), to);
  });
}

}  // namespace

MINIDL_REGISTER(search) {
  m.def("search_sorted", &search_sorted, "The place of each value among sorted boundaries",
        py::arg("boundaries"), py::arg("values"), py::arg("right"), py::arg("places"));
  m.def("count_between", &count_between, "How many values lie between neighbours of sorted edges",
        py::arg("edges"), py::arg("values"), py::arg("counts"));
}

}  // namespace minidl::bindings::search
