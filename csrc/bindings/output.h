// Arrays that kernels write their results into. Memory of large ones is kept when NumPy frees them
// and handed out again: malloc returns it to the system as soon as a chain of operations is
// done, and touching fresh pages costs more than the memory-bound operations themselves.
#pragma once

#include <pybind11/numpy.h>

#include <cstdint>
#include <vector>

#include "bindings/fast_call.h"

namespace minidl::bindings {

// empty_array of fast_call.h for pybind11. The array owns its data like any other; only its
// allocator is ours.
template <class T>
pybind11::array_t<T, pybind11::array::c_style> empty(const std::vector<int64_t>& shape) {
  const std::vector<npy_intp> extents(shape.begin(), shape.end());
  PyObject* made = reinterpret_cast<PyObject*>(empty_array(
      static_cast<int>(extents.size()), extents.data(), pybind11::dtype::of<T>().num()));
  if (made == nullptr) throw pybind11::error_already_set();
  return pybind11::reinterpret_steal<pybind11::array_t<T, pybind11::array::c_style>>(made);
}

}  // namespace minidl::bindings
