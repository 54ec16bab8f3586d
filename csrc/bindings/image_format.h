// The two memory formats of arrays [N, C, *size] that image kernels take as they are. Strides
// decide: planes (C order, "NCHW") or pixels (channels last, "NHWC").
#pragma once

#include "bindings/output.h"
#include "bindings/spatial.h"

namespace minidl::bindings {

enum class Format { planes, pixels };

// Whether the elements of every pixel follow each other, then the pixels, then the images.
inline bool channels_last(const pybind11::array& array) {
  if (array.ndim() < 3 || !addressable(array)) return false;
  int64_t expected = array.itemsize();
  const auto follows = [&](pybind11::ssize_t axis) {
    const bool fits = array.shape(axis) == 1 || array.strides(axis) == expected;
    expected *= array.shape(axis);
    return fits;
  };
  if (!follows(1)) return false;
  for (pybind11::ssize_t axis = array.ndim() - 1; axis >= 2; --axis) {
    if (!follows(axis)) return false;
  }
  return follows(0);
}

inline Format format_of(const pybind11::array& array) {
  return !c_contiguous(array) && channels_last(array) ? Format::pixels : Format::planes;
}

// Axes of [N, C, *size] in the order [N, *size, C], or the way back.
inline pybind11::array with_axes(const pybind11::array& array, bool channels_to_end) {
  const pybind11::ssize_t rank = array.ndim();
  pybind11::tuple order(rank);
  for (pybind11::ssize_t axis = 0; axis < rank; ++axis) {
    const pybind11::ssize_t there = axis < 2 ? axis * (rank - 1) : axis - 1;
    channels_to_end ? order[there] = axis : order[axis] = there;
  }
  return array.attr("transpose")(*order);
}

// An array whose memory holds `array` in this format without gaps: itself, or a copy.
template <typename T>
pybind11::array in_format(const pybind11::array& array, Format format) {
  if (format == Format::planes) return contiguous<T>(array);
  if (channels_last(array)) return array;
  return contiguous<T>(with_axes(array, true));
}

// An uninitialised array in this format and the start of its memory.
template <typename T>
struct Result {
  pybind11::array array;
  T* data;

  Result(const Sizes& shape, Format format) {
    if (format == Format::planes) {
      auto made = empty<T>(shape);
      data = made.mutable_data();
      array = std::move(made);
    } else {
      Sizes pixels(shape);
      std::rotate(pixels.begin() + 1, pixels.begin() + 2, pixels.end());
      auto made = empty<T>(pixels);
      data = made.mutable_data();
      array = with_axes(made, false);
    }
  }
};

}  // namespace minidl::bindings
