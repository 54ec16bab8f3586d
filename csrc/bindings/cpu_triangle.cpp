// Triangles of NumPy arrays: see csrc/cpu/triangle.h and minidl/backends/native/shapes.py, which
// makes the results.
#include "cpu/triangle.h"

#include <algorithm>

#include "bindings/array.h"
#include "bindings/registry.h"

namespace minidl::bindings::triangle {
namespace {

using pybind11::array;

void triangle(const array& input, int64_t diagonal, bool lower, array out) {
  const auto rank = input.ndim();
  MINIDL_CHECK(rank >= 2 && c_contiguous(input) && c_contiguous(out) && addressable(input) &&
                   addressable(out) && out.dtype().equal(input.dtype()) &&
                   out.size() == input.size(),
               "triangle: expected contiguous matrices");
  cpu::TriangleProblem p{1, input.shape(rank - 2), input.shape(rank - 1), 0, lower};
  p.diagonal = std::clamp(diagonal, -p.rows - 1, p.columns + 1);
  for (pybind11::ssize_t axis = 0; axis < rank - 2; ++axis) p.matrices *= input.shape(axis);
  by_word(input, "triangle", [&](auto zero) {
    using Word = decltype(zero);
    auto* to = static_cast<Word*>(out.mutable_data());
    pybind11::gil_scoped_release release;
    cpu::triangle(p, static_cast<const Word*>(input.data()), to);
  });
}

}  // namespace

MINIDL_REGISTER(triangle) {
  m.def("triangle", &triangle, "out = matrices without what lies beyond a diagonal",
        py::arg("input"), py::arg("diagonal"), py::arg("lower"), py::arg("out"));
}

}  // namespace minidl::bindings::triangle
