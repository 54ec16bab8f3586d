// Affine maps of NumPy images; names and arguments are those of
// minidl/backends/reference/affine.py. Splines of a degree above 1 are left to the reference.
#include "cpu/affine.h"

#include <optional>
#include <string_view>
#include <utility>

#include "bindings/owned_array.h"
#include "bindings/registry.h"

namespace minidl::bindings::affine {
namespace {

using minidl::cpu::Affine;
using minidl::cpu::Fill;

std::optional<Fill> fill_of(PyObject* name) {
  if (!PyUnicode_CheckExact(name)) return std::nullopt;
  Py_ssize_t size = 0;
  const char* text = PyUnicode_AsUTF8AndSize(name, &size);
  if (text == nullptr) {
    PyErr_Clear();
    return std::nullopt;
  }
  for (const auto& [known, fill] :
       {std::pair{"constant", Fill::constant}, std::pair{"nearest", Fill::nearest},
        std::pair{"reflect", Fill::reflect}, std::pair{"mirror", Fill::mirror},
        std::pair{"wrap", Fill::wrap}}) {
    if (std::string_view(text, static_cast<size_t>(size)) == known) return fill;
  }
  return std::nullopt;
}

// affine_images(images, matrices, order, fill_mode, cval)
PyObject* affine_images(Arguments args, Py_ssize_t count) {
  if (!expect(count, 5, "affine_images")) return nullptr;
  const auto fill = fill_of(args[3]);
  double order, cval;
  if (!is_float(args[0]) || !has_type(args[1], NPY_DOUBLE) || !fill) return refuse();
  if (!read_scalar(args[2], order) || !read_scalar(args[4], cval)) return refuse();
  const Array images = contiguous(args[0]), matrices = contiguous(args[1]);
  if (!images || !matrices) return nullptr;
  if (images.rank() != 4 || matrices.rank() != 3 || (order != 0 && order != 1)) return refuse();
  const npy_intp *shape = images.shape(), *of = matrices.shape();
  if (of[0] != shape[0] || of[1] != 2 || of[2] != 3) return refuse();
  Array output = empty_like(images);
  if (!output || output.size() == 0) return output.release();
  const Affine problem{shape[0], shape[1], shape[2], shape[3], order == 1, *fill, cval};
  run(output, [&](auto kind) {
    using T = decltype(kind);
    minidl::cpu::affine(problem, images.data<T>(), matrices.data<double>(), output.data<T>());
  });
  return output.release();
}

}  // namespace

MINIDL_REGISTER(affine) {
  if (_import_array() < 0) throw pybind11::error_already_set();
  static PyMethodDef methods[] = {
      fast_method("affine_images", guarded<affine_images>,
                  "affine_images(images, matrices, order, fill_mode, cval)"),
      {nullptr, nullptr, 0, nullptr},
  };
  if (PyModule_AddFunctions(m.ptr(), methods) < 0) throw pybind11::error_already_set();
}

}  // namespace minidl::bindings::affine
