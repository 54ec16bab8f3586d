// where(condition, input, other) of NumPy arrays of numbers.
#include "cpu/where.h"

#include "bindings/layout.h"
#include "bindings/registry.h"

namespace minidl::bindings::where {
namespace {

template <class Word>
PyObject* choose(const Layout<3>& layout, PyArrayObject* const* arrays, PyArrayObject* out) {
  return finish(out, layout.size(), [&] {
    cpu::where(layout.walk(), data_of<uint8_t>(arrays[0]), data_of<Word>(arrays[1]),
               data_of<Word>(arrays[2]), data_of<Word>(out));
  });
}

// A Python float as an array of the other operand's dtype, float32 or float64; null if it is none.
PyObject* as_operand(PyObject* object, PyObject* other) {
  double value;
  if (!is_real(other) || !read_scalar(object, value)) return nullptr;
  PyArrayObject* made = empty_array(0, nullptr, PyArray_TYPE(as_array(other)));
  if (made == nullptr) return nullptr;
  if (PyArray_TYPE(made) == NPY_FLOAT32) {
    *data_of<float>(made) = static_cast<float>(value);
  } else {
    *data_of<double>(made) = value;
  }
  return reinterpret_cast<PyObject*>(made);
}

PyObject* where_arrays(PyObject* const* args) {
  for (int i = 0; i < 3; ++i) {
    if (!is_plain(args[i])) return refuse();
  }
  PyArrayObject* arrays[] = {as_array(args[0]), as_array(args[1]), as_array(args[2])};
  if (PyArray_TYPE(arrays[0]) != NPY_BOOL) return refuse();
  if (!PyArray_EquivArrTypes(arrays[1], arrays[2])) return refuse();
  Layout<3> layout;
  if (!layout.plan(arrays, 3)) return refuse();
  PyArrayObject* out = layout.result(PyArray_TYPE(arrays[1]));
  if (out == nullptr || layout.size() == 0) return reinterpret_cast<PyObject*>(out);
  switch (PyArray_ITEMSIZE(arrays[1])) {
    case 1:
      return choose<uint8_t>(layout, arrays, out);
    case 2:
      return choose<uint16_t>(layout, arrays, out);
    case 4:
      return choose<uint32_t>(layout, arrays, out);
    case 8:
      return choose<uint64_t>(layout, arrays, out);
    default:
      Py_DECREF(out);
      return refuse();
  }
}

PyObject* where_call(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  if (count != 3 || keywords != nullptr) return refuse();
  if (PyArray_Check(args[1]) && PyArray_Check(args[2])) return where_arrays(args);
  const int number = PyArray_Check(args[1]) ? 2 : 1;
  PyObject* made = as_operand(args[number], args[3 - number]);
  if (made == nullptr) return PyErr_Occurred() ? nullptr : refuse();
  PyObject* const operands[] = {args[0], number == 1 ? made : args[1],
                                number == 2 ? made : args[2]};
  PyObject* result = where_arrays(operands);
  Py_DECREF(made);
  return result;
}

PyMethodDef methods[] = {
    fast_method("where", &where_call,
                "where(condition, input, other): input where condition holds, else other"),
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

MINIDL_REGISTER(where) {
  if (_import_array() < 0) throw pybind11::error_already_set();
  if (PyModule_AddFunctions(m.ptr(), methods) < 0) {
    throw pybind11::error_already_set();
  }
}

}  // namespace minidl::bindings::where
