// What the bindings of convolution and pooling share: arrays [N, C, *size] with one to three
// spatial dimensions.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <initializer_list>
#include <optional>
#include <vector>

#include "bindings/array.h"
#include "cpu/extent.h"

namespace minidl::bindings {

using Sizes = std::vector<int64_t>;
// C order and aligned.
inline constexpr int kContiguous = static_cast<int>(pybind11::array::c_style) |
                                   static_cast<int>(pybind11::detail::npy_api::NPY_ARRAY_ALIGNED_);
template <typename T>
using Contiguous = pybind11::array_t<T, kContiguous>;

// The array itself where it is contiguous and aligned, else a copy that is. Its dtype is T already.
template <typename T>
Contiguous<T> contiguous(const pybind11::array& array) {
  auto result = Contiguous<T>::ensure(array);
  if (!result) throw pybind11::error_already_set();
  return result;
}

// The dtype that all arrays have in common if it is float32 or float64; nothing otherwise.
inline std::optional<DType> common_real(std::initializer_list<const pybind11::array*> arrays) {
  std::optional<DType> common;
  for (const pybind11::array* array : arrays) {
    const auto dtype = dtype_of(*array);
    if (dtype != DType::float32 && dtype != DType::float64) return std::nullopt;
    if (common && common != dtype) return std::nullopt;
    common = dtype;
  }
  return common;
}

inline Sizes shape_of(const pybind11::array& array) {
  return Sizes(array.shape(), array.shape() + array.ndim());
}

inline std::string text(const Sizes& sizes) {
  std::string result = "(";
  for (const int64_t size : sizes) result += (result.size() > 1 ? ", " : "") + std::to_string(size);
  return result + ")";
}

// The last `rank` of `sizes` as an extent; missing leading dimensions are `missing`. Throws unless
// all are in [least, 2^60].
inline cpu::Extent extent(const Sizes& sizes, size_t rank, int64_t missing, int64_t least,
                          const char* what) {
  MINIDL_CHECK(rank >= 1 && rank <= 3 && sizes.size() >= rank, what, " ", text(sizes),
               " does not have ", rank, " of at most 3 spatial dimensions");
  cpu::Extent result{missing, missing, missing};
  for (size_t d = 0; d < rank; ++d) {
    const int64_t size = sizes[sizes.size() - rank + d];
    MINIDL_CHECK(size >= least, what, " must be at least ", least, ", got ", text(sizes));
    MINIDL_CHECK(size <= cpu::kLargestExtent, what, " must be at most 2^60, got ", text(sizes));
    result[3 - rank + d] = size;
  }
  return result;
}

// `shape` with its last dimensions replaced by those of an extent.
inline Sizes with_spatial(Sizes shape, const cpu::Extent& out) {
  const size_t rank = shape.size() - 2;
  for (size_t d = 0; d < rank; ++d) shape[2 + d] = out[3 - rank + d];
  return shape;
}

inline void check_shape(const pybind11::array& array, const Sizes& wanted, const char* what) {
  MINIDL_CHECK(shape_of(array) == wanted, what, " must have shape ", text(wanted), ", got ",
               text(shape_of(array)));
}

}  // namespace minidl::bindings
