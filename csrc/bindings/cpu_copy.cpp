// copy(input): a row-major copy of a NumPy array of numbers.
#include "cpu/copy.h"

#include "bindings/layout.h"
#include "bindings/registry.h"

namespace minidl::bindings::copy {
namespace {

// The axes in elements; false where strides are not whole elements.
bool read_axes(PyArrayObject* array, cpu::CopyAxes& axes) {
  const npy_intp item = PyArray_ITEMSIZE(array);
  for (int axis = 0; axis < PyArray_NDIM(array); ++axis) {
    const npy_intp stride = PyArray_STRIDE(array, axis);
    if (stride % item != 0) return false;
    axes.add(PyArray_DIM(array, axis), stride / item);
  }
  return true;
}

template <class Word>
PyObject* copied(PyArrayObject* from, const cpu::CopyAxes& axes, PyArrayObject* out) {
  return finish(out, axes.count(),
                [&] { cpu::copy(axes, data_of<Word>(from), data_of<Word>(out)); });
}

PyObject* copy_call(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  if (count != 1 || keywords != nullptr || !is_plain(args[0])) return refuse();
  PyArrayObject* from = as_array(args[0]);
  cpu::CopyAxes axes;
  if (!read_axes(from, axes)) return refuse();
  PyArrayObject* out = empty_array(PyArray_NDIM(from), PyArray_DIMS(from), PyArray_TYPE(from));
  if (out == nullptr || PyArray_SIZE(out) == 0) return reinterpret_cast<PyObject*>(out);
  switch (PyArray_ITEMSIZE(from)) {
    case 1:
      return copied<uint8_t>(from, axes, out);
    case 2:
      return copied<uint16_t>(from, axes, out);
    case 4:
      return copied<uint32_t>(from, axes, out);
    case 8:
      return copied<uint64_t>(from, axes, out);
    default:
      Py_DECREF(out);
      return refuse();
  }
}

PyMethodDef methods[] = {
    fast_method("copy", &copy_call, "copy(input): a copy whose elements lie in order"),
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

MINIDL_REGISTER(copy) {
  if (_import_array() < 0) throw pybind11::error_already_set();
  if (PyModule_AddFunctions(m.ptr(), methods) < 0) throw pybind11::error_already_set();
}

}  // namespace minidl::bindings::copy
