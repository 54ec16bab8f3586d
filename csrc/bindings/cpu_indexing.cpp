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

// body(Word{}) for an unsigned integer as wide as an element.
template <class Body>
bool by_word(const array& given, const Body& body) {
  switch (given.itemsize()) {
    case 1:
      return body(uint8_t{});
    case 2:
      return body(uint16_t{});
    case 4:
      return body(uint32_t{});
    case 8:
      return body(uint64_t{});
    default:
      MINIDL_CHECK(false, "indexing: elements of ", given.itemsize(), " bytes");
  }
  return false;
}

template <class Body>
bool by_number(const array& given, const Body& body) {
  if (given.dtype().equal(pybind11::dtype::of<float>())) return body(float{});
  MINIDL_CHECK(given.dtype().equal(pybind11::dtype::of<double>()),
               "indexing: expected float32 or float64");
  return body(double{});
}

template <class T>
const T* read(const array& from) {
  return static_cast<const T*>(from.data());
}
template <class T>
T* write(array& to) {
  return static_cast<T*>(to.mutable_data());
}

bool take_along(const array& given, int dim, const array& index, array out) {
  const auto p = problem(given, dim, index, out);
  return by_word(given, [&](auto word) {
    using Word = decltype(word);
    Word* to = write<Word>(out);
    pybind11::gil_scoped_release release;
    return cpu::take_along(p, read<int64_t>(index), read<Word>(given), to);
  });
}

bool put_along(array given, int dim, const array& index, const array& source) {
  const auto p = problem(given, dim, index, source);
  return by_word(given, [&](auto word) {
    using Word = decltype(word);
    Word* to = write<Word>(given);
    pybind11::gil_scoped_release release;
    return cpu::put_along(p, read<int64_t>(index), read<Word>(source), to);
  });
}

bool add_along(array given, int dim, const array& index, const array& source) {
  const auto p = problem(given, dim, index, source);
  return by_number(given, [&](auto number) {
    using T = decltype(number);
    T* to = write<T>(given);
    pybind11::gil_scoped_release release;
    return cpu::add_along(p, read<int64_t>(index), read<T>(source), to);
  });
}

bool take_slices(const array& given, int dim, const array& index, array out) {
  const auto p = slices_of(given, dim, index, out);
  return by_word(given, [&](auto word) {
    using Word = decltype(word);
    Word* to = write<Word>(out);
    pybind11::gil_scoped_release release;
    return cpu::take_slices(p, read<int64_t>(index), read<Word>(given), to);
  });
}

bool add_slices(array given, int dim, const array& index, const array& slices) {
  const auto p = slices_of(given, dim, index, slices);
  return by_number(given, [&](auto number) {
    using T = decltype(number);
    T* to = write<T>(given);
    pybind11::gil_scoped_release release;
    return cpu::add_slices(p, read<int64_t>(index), read<T>(slices), to);
  });
}

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
