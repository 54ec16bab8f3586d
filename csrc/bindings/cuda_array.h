// Device arrays from Python: a tuple (pointer, dtype character, shape, strides in bytes), that is
// (a.data.ptr, a.dtype.char, a.shape, a.strides) of a CuPy array. None is an absent array where one
// may be.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <string_view>

#include "common/checks.h"
#include "cuda/array.h"
#include "cuda/stream.h"

namespace minidl::bindings {

inline std::int64_t item_bytes(cuda::DType dtype) {
  switch (dtype) {
    case cuda::DType::float32:
    case cuda::DType::int32:
      return 4;
    case cuda::DType::float64:
      return 8;
    case cuda::DType::uint8:
      return 1;
  }
  return 0;
}

inline cuda::DType dtype_of(std::string_view character) {
  for (const auto dtype :
       {cuda::DType::float32, cuda::DType::float64, cuda::DType::uint8, cuda::DType::int32}) {
    if (character.size() == 1 && character[0] == static_cast<char>(dtype)) return dtype;
  }
  throw TypeMismatch(
      concat("the CUDA kernels take float32, float64, uint8 and int32 arrays, got dtype '",
             character, "'"));
}

inline cuda::Array to_array(const pybind11::tuple& parts) {
  MINIDL_CHECK(parts.size() == 4, "an array is (pointer, dtype, shape, strides), got ",
               parts.size(), " parts");
  cuda::Array array;
  array.data = reinterpret_cast<void*>(parts[0].cast<std::uintptr_t>());
  array.dtype = dtype_of(parts[1].cast<std::string_view>());
  array.shape = parts[2].cast<std::vector<std::int64_t>>();
  array.strides = parts[3].cast<std::vector<std::int64_t>>();
  MINIDL_CHECK(array.shape.size() == array.strides.size(), "shape ", cuda::spell(array.shape),
               " and strides ", cuda::spell(array.strides), " differ in length");
  for (const std::int64_t size : array.shape) {
    MINIDL_CHECK(size >= 0, "shape ", cuda::spell(array.shape), " has a negative size");
  }
  MINIDL_CHECK(array.data || array.count() == 0, "the array of shape ", cuda::spell(array.shape),
               " is at address 0");
  const std::int64_t bytes = item_bytes(array.dtype);
  for (std::int64_t& stride : array.strides) {
    MINIDL_CHECK(stride % bytes == 0, "a stride of ", stride, " bytes is not a multiple of the ",
                 bytes, " bytes of an element");
    stride /= bytes;
  }
  return array;
}

inline cuda::Stream to_stream(std::uintptr_t stream) {
  return reinterpret_cast<cuda::Stream>(stream);
}

}  // namespace minidl::bindings

// Lets a binding take cuda::Array, or const cuda::Array* for one that may be None.
template <>
struct pybind11::detail::type_caster<minidl::cuda::Array> {
  PYBIND11_TYPE_CASTER(minidl::cuda::Array,
                       const_name("tuple[int, str, tuple[int, ...], tuple[int, ...]]"));

  bool load(handle source, bool) {
    if (!isinstance<tuple>(source)) return false;
    value = minidl::bindings::to_array(reinterpret_borrow<tuple>(source));
    return true;
  }
};
