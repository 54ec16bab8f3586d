// Rows of NumPy arrays in order: see csrc/cpu/ordering.h and minidl/backends/native/ordering.py,
// which makes the results.
#include "cpu/ordering.h"

#include <limits>

#include "bindings/array.h"
#include "bindings/registry.h"

namespace minidl::bindings::ordering {
namespace {

using pybind11::array;

// Input [rows, size], values and places of `wanted` elements a row; all without gaps.
cpu::OrderProblem problem(const array& input, bool descending, int64_t first, int64_t wanted,
                          const array& values, const array& places) {
  MINIDL_CHECK(
      input.ndim() == 2 && c_contiguous(input) && c_contiguous(values) && c_contiguous(places),
      "ordering: expected contiguous rows");
  const cpu::OrderProblem p{input.shape(0), input.shape(1), first, descending};
  MINIDL_CHECK(p.size <= std::numeric_limits<uint32_t>::max() && first >= 0 && first <= p.size,
               "ordering: ", first, " elements of ", p.size);
  MINIDL_CHECK(values.dtype().equal(input.dtype()) &&
                   places.dtype().equal(pybind11::dtype::of<int64_t>()) &&
                   values.size() == p.rows * wanted && places.size() == p.rows * wanted,
               "ordering: results do not fit");
  return p;
}

void sort_rows(const array& input, bool descending, array values, array places) {
  const int64_t first = values.ndim() == 2 ? values.shape(1) : -1;
  const auto p = problem(input, descending, first, first, values, places);
  by_ordered_type(input, "ordering", [&](auto zero) {
    using T = decltype(zero);
    auto* to = static_cast<T*>(values.mutable_data());
    auto* where = static_cast<int64_t*>(places.mutable_data());
    pybind11::gil_scoped_release release;
    cpu::sort_rows(p, static_cast<const T*>(input.data()), to, where);
  });
}

void select_rows(const array& input, int64_t rank, array values, array places) {
  const auto p = problem(input, false, rank, 1, values, places);
  MINIDL_CHECK(rank >= 1, "ordering: ranks count from 1");
  by_ordered_type(input, "ordering", [&](auto zero) {
    using T = decltype(zero);
    auto* to = static_cast<T*>(values.mutable_data());
    auto* where = static_cast<int64_t*>(places.mutable_data());
    pybind11::gil_scoped_release release;
    cpu::select_rows(p, static_cast<const T*>(input.data()), to, where);
  });
}

}  // namespace

MINIDL_REGISTER(ordering) {
  m.def("sort_rows", &sort_rows, "The first elements of each row in order, and their places",
        py::arg("input"), py::arg("descending"), py::arg("values"), py::arg("places"));
  m.def("select_rows", &select_rows, "The element of a rank (from 1) of each row, and its place",
        py::arg("input"), py::arg("rank"), py::arg("values"), py::arg("places"));
}

}  // namespace minidl::bindings::ordering
