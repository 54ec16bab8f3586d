// Elements and slices of NumPy arrays by index: see csrc/cpu/indexing.h and
// minidl/backends/native/indexing.py, which makes the results. A function gives False where an
// index lies outside, and raises ValueError for arrays that do not fit.
#include "cpu/indexing.h"

#include <type_traits>

#include "bindings/array.h"
#include "bindings/registry.h"

namespace minidl::bindings::indexing {
namespace {

using pybind11::array;

void check_index(const array& index) {
  MINIDL_CHECK(index.dtype().equal(pybind11::dtype::of<int64_t>()) && addressable(index),
               "index must be int64");
}

// Strides in elements; those of axes of one element do not matter, and are 0.
void read_strides(const array& from, std::array<int64_t, kMaxRank>& strides) {
  for (pybind11::ssize_t axis = 0; axis < from.ndim(); ++axis) {
    strides[axis] = from.shape(axis) == 1 ? 0 : from.strides(axis) / from.itemsize();
  }
}

cpu::AlongProblem problem(const array& given, int dim, const array& index, const array& other) {
  check_index(index);
  MINIDL_CHECK(addressable(given) && addressable(other) && given.dtype().equal(other.dtype()),
               "indexing: arrays must be aligned and of one dtype");
  const auto rank = given.ndim();
  MINIDL_CHECK(rank >= 1 && index.ndim() == rank && other.ndim() == rank && dim >= 0 && dim < rank,
               "indexing: ranks do not fit");
  cpu::AlongProblem p{static_cast<int>(rank), dim, given.shape(dim), {}, {}, {}, {}};
  for (pybind11::ssize_t axis = 0; axis < rank; ++axis) {
    p.extent[axis] = index.shape(axis);
    MINIDL_CHECK(
        other.shape(axis) == p.extent[axis] && (axis == dim || p.extent[axis] <= given.shape(axis)),
        "indexing: shapes do not fit at axis ", axis);
  }
  read_strides(given, p.array);
  if (given.shape(dim) == 1) p.array[dim] = 0;
  read_strides(index, p.index);
  read_strides(other, p.other);
  return p;
}

cpu::SliceProblem slices_of(const array& given, int dim, const array& index, const array& slices) {
  check_index(index);
  MINIDL_CHECK(c_contiguous(given) && c_contiguous(slices) && c_contiguous(index) &&
                   given.dtype().equal(slices.dtype()),
               "indexing: arrays must be contiguous and of one dtype");
  MINIDL_CHECK(dim >= 0 && dim < given.ndim(), "indexing: no axis ", dim);
  cpu::SliceProblem p{1, given.shape(dim), 1, index.size()};
  for (int axis = 0; axis < dim; ++axis) p.outer *= given.shape(axis);
  for (pybind11::ssize_t axis = dim + 1; axis < given.ndim(); ++axis) p.inner *= given.shape(axis);
  MINIDL_CHECK(slices.size() == p.outer * p.count * p.inner, "indexing: sizes do not fit");
  return p;
}

// What moves bits.
struct ByWord {
  template <class Kernel>
  bool operator()(const array& given, const Kernel& kernel) const {
    return by_word(given, "indexing", kernel);
  }
};

// What adds: kernel(zero, ...) with the zero of the element's own type.
struct ByNumber {
  template <class Kernel>
  bool operator()(const array& given, const Kernel& kernel) const {
    if (given.dtype().equal(pybind11::dtype::of<float>())) return kernel(float{});
    MINIDL_CHECK(given.dtype().equal(pybind11::dtype::of<double>()),
                 "indexing: expected float32 or float64");
    return kernel(double{});
  }
};

// kernel(problem, index, from, to) on the elements of two arrays, without the GIL.
template <class By, class Problem, class Kernel>
bool run(const Problem& p, const array& index, const array& from, array& to, const Kernel& kernel) {
  return By{}(from, [&](auto zero) {
    using T = decltype(zero);
    T* target = static_cast<T*>(to.mutable_data());
    pybind11::gil_scoped_release release;
    return kernel(p, static_cast<const int64_t*>(index.data()), static_cast<const T*>(from.data()),
                  target);
  });
}

#define MINIDL_KERNEL(name) [](const auto&... given) { return cpu::name(given...); }

bool take_along(const array& given, int dim, const array& index, array out) {
  return run<ByWord>(problem(given, dim, index, out), index, given, out, MINIDL_KERNEL(take_along));
}

bool put_along(array given, int dim, const array& index, const array& source) {
  return run<ByWord>(problem(given, dim, index, source), index, source, given,
                     MINIDL_KERNEL(put_along));
}

bool add_along(array given, int dim, const array& index, const array& source) {
  return run<ByNumber>(problem(given, dim, index, source), index, source, given,
                       MINIDL_KERNEL(add_along));
}

bool take_slices(const array& given, int dim, const array& index, array out) {
  return run<ByWord>(slices_of(given, dim, index, out), index, given, out,
                     MINIDL_KERNEL(take_slices));
}

bool add_slices(array given, int dim, const array& index, const array& slices) {
  return run<ByNumber>(slices_of(given, dim, index, slices), index, slices, given,
                       MINIDL_KERNEL(add_slices));
}

#undef MINIDL_KERNEL

}  // namespace

MINIDL_REGISTER(indexing) {
  m.def("take_along", &take_along, "out = given at index along dim", py::arg("given"),
        py::arg("dim"), py::arg("index"), py::arg("out"));
  m.def("put_along", &put_along, "given at index along dim = source", py::arg("given"),
        py::arg("dim"), py::arg("index"), py::arg("source"));
  m.def("add_along", &add_along, "given at index along dim += source", py::arg("given"),
        py::arg("dim"), py::arg("index"), py::arg("source"));
  m.def("take_slices", &take_slices, "out = the slices of given at index along dim",
        py::arg("given"), py::arg("dim"), py::arg("index"), py::arg("out"));
  m.def("add_slices", &add_slices, "given += slices at index along dim", py::arg("given"),
        py::arg("dim"), py::arg("index"), py::arg("slices"));
}

}  // namespace minidl::bindings::indexing
