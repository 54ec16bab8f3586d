// py::array to the types of csrc/common.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <optional>
#include <string>

#include "common/array_view.h"
#include "common/dispatch.h"

namespace minidl::bindings {

// The dtype of an array, or nothing for one that kernels do not know (complex, structured, swapped
// bytes).
inline std::optional<DType> dtype_of(const pybind11::array& array) {
  const pybind11::dtype dtype = array.dtype();
  if (dtype.byteorder() == '>') return std::nullopt;
  const int64_t bytes = dtype.itemsize();
  const auto pick = [bytes](DType one, DType two, DType four, DType eight) -> std::optional<DType> {
    return bytes == 1 ? one : bytes == 2 ? two : bytes == 4 ? four : eight;
  };
  switch (dtype.kind()) {
    case 'b':
      return DType::boolean;
    case 'u':
      return pick(DType::uint8, DType::uint16, DType::uint32, DType::uint64);
    case 'i':
      return pick(DType::int8, DType::int16, DType::int32, DType::int64);
    case 'f':
      if (bytes == 2) return DType::float16;
      if (bytes == 4) return DType::float32;
      if (bytes == 8) return DType::float64;
      return std::nullopt;  // long double
    default:
      // ml_dtypes registers bfloat16 as a type of its own; its name is all there is to see.
      if (bytes == 2 && pybind11::str(dtype.attr("name")).cast<std::string>() == "bfloat16") {
        return DType::bfloat16;
      }
      return std::nullopt;
  }
}

// Aligned, and strides that are whole elements: what a typed pointer needs.
inline bool addressable(const pybind11::array& array) {
  if (!(array.flags() & pybind11::detail::npy_api::NPY_ARRAY_ALIGNED_)) return false;
  const int64_t bytes = array.itemsize();
  for (pybind11::ssize_t axis = 0; axis < array.ndim(); ++axis) {
    if (array.strides(axis) % bytes != 0) return false;
  }
  return true;
}

inline bool c_contiguous(const pybind11::array& array) {
  return (array.flags() & pybind11::array::c_style) != 0;
}

// body(zero) with the zero of the array's elements, which are of a type that kernels put in order.
template <class Body>
void by_ordered_type(const pybind11::array& input, const char* who, const Body& body) {
  const auto dtype = dtype_of(input);
  if (dtype == DType::float32) return body(float{});
  if (dtype == DType::float64) return body(double{});
  if (dtype == DType::int32) return body(int32_t{});
  MINIDL_CHECK(dtype == DType::int64, who, ": elements of another type");
  body(int64_t{});
}

// body(zero) with the zero of an unsigned integer as wide as an element: what moves bits.
template <class Body>
auto by_word(const pybind11::array& input, const char* who, const Body& body) {
  switch (input.itemsize()) {
    case 1:
      return body(uint8_t{});
    case 2:
      return body(uint16_t{});
    case 4:
      return body(uint32_t{});
    default:
      MINIDL_CHECK(input.itemsize() == 8, who, ": elements of ", input.itemsize(), " bytes");
      return body(uint64_t{});
  }
}

// Throws where the rank differs; dtype and addressable() are the caller's to have checked.
template <class T, int Rank>
ArrayView<const T, Rank> view(const pybind11::array& array) {
  MINIDL_CHECK(array.ndim() == Rank, "expected ", Rank, " dimensions, got ", array.ndim());
  ArrayView<const T, Rank> result{static_cast<const T*>(array.data()), {}, {}};
  for (int axis = 0; axis < Rank; ++axis) {
    result.shape[axis] = array.shape(axis);
    result.strides[axis] = array.strides(axis) / static_cast<int64_t>(sizeof(T));
  }
  return result;
}

template <class T, int Rank>
ArrayView<T, Rank> mutable_view(pybind11::array& array) {
  const auto read = view<T, Rank>(array);
  return {static_cast<T*>(array.mutable_data()), read.shape, read.strides};
}

}  // namespace minidl::bindings
