// Device arrays from Python: a tuple (pointer, dtype character, shape, strides in bytes), that is
// (a.data.ptr, a.dtype.char, a.shape, a.strides) of a CuPy array. None is an absent array where one
// may be.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <string_view>
#include <utility>

#include "common/checks.h"
#include "cuda/array.h"
#include "cuda/stream.h"

namespace minidl::bindings {

// The dtype that NumPy's character names ('E' is ml_dtypes' bfloat16).
inline DType dtype_of(std::string_view character) {
  constexpr std::pair<char, DType> known[] = {
      {'f', DType::float32}, {'d', DType::float64}, {'e', DType::float16}, {'E', DType::bfloat16},
      {'?', DType::boolean}, {'B', DType::uint8},   {'H', DType::uint16},  {'I', DType::uint32},
      {'L', DType::uint64},  {'Q', DType::uint64},  {'b', DType::int8},    {'h', DType::int16},
      {'i', DType::int32},   {'l', DType::int64},   {'q', DType::int64},
  };
  for (const auto& [letter, dtype] : known) {
    if (character.size() == 1 && character[0] == letter) return dtype;
  }
  throw TypeMismatch(concat("the CUDA kernels take real numbers, integers and bools, got dtype '",
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
  const std::int64_t bytes = minidl::item_bytes(array.dtype);
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
