// Sums of minidl._native: see csrc/cpu/reductions.h.
#include "cpu/reductions.h"

#include "bindings/fast_call.h"
#include "bindings/registry.h"

namespace minidl::bindings {
namespace {

using namespace minidl::cpu;

// A bit for each axis in a tuple of axes; false where that is not what it is.
bool read_axes(PyObject* dims, int rank, uint64_t& reduced) {
  if (!PyTuple_CheckExact(dims)) return false;
  reduced = 0;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(dims); ++i) {
    PyObject* item = PyTuple_GET_ITEM(dims, i);
    if (!PyLong_CheckExact(item)) return false;
    int overflow = 0;
    const long axis = PyLong_AsLongAndOverflow(item, &overflow);
    if (overflow != 0 || axis < 0 || axis >= rank) return false;
    reduced |= uint64_t{1} << axis;
  }
  return true;
}

// False where the axes do not fall into the pattern R0 K0 R1 K1.
bool read_shape(PyArrayObject* x, uint64_t reduced, SumShape& s) {
  int64_t* const slots[] = {&s.r0, &s.k0, &s.r1, &s.k1};
  int slot = 0;
  for (int axis = 0; axis < PyArray_NDIM(x); ++axis) {
    const int64_t extent = PyArray_DIM(x, axis);
    if (extent == 1) continue;
    const bool summed = (reduced >> axis) & 1;
    if (summed != (slot % 2 == 0) && ++slot == 4) return false;
    *slots[slot] *= extent;
  }
  if (slot == 0) std::swap(s.r0, s.r1);  // all summed: one row
  return true;
}

PyArrayObject* empty_result(PyArrayObject* x, uint64_t reduced, bool keepdim) {
  npy_intp shape[NPY_MAXDIMS];
  int rank = 0;
  for (int axis = 0; axis < PyArray_NDIM(x); ++axis) {
    const bool summed = (reduced >> axis) & 1;
    if (!summed) shape[rank++] = PyArray_DIM(x, axis);
    if (summed && keepdim) shape[rank++] = 1;
  }
  return empty_array(rank, shape, PyArray_TYPE(x));
}

template <class T>
PyObject* sum_array(PyArrayObject* x, const SumShape& s, PyArrayObject* out) {
  return finish(out, PyArray_SIZE(x), [&] { sum(s, data_of<T>(x), data_of<T>(out)); });
}

PyObject* sum_call(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  if (count != 3 || keywords != nullptr || !is_real(args[0])) return refuse();
  PyArrayObject* x = as_array(args[0]);
  uint64_t reduced;
  SumShape s;
  if (!PyArray_IS_C_CONTIGUOUS(x) || !PyBool_Check(args[2])) return refuse();
  if (!read_axes(args[1], PyArray_NDIM(x), reduced) || !read_shape(x, reduced, s)) return refuse();
  PyArrayObject* out = empty_result(x, reduced, args[2] == Py_True);
  if (out == nullptr) return nullptr;
  return PyArray_TYPE(x) == NPY_FLOAT32 ? sum_array<float>(x, s, out)
                                        : sum_array<double>(x, s, out);
}

PyMethodDef methods[] = {
    fast_method("sum", &sum_call, "sum(input, dims, keepdim): sums over a tuple of dimensions"),
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace
}  // namespace minidl::bindings

MINIDL_REGISTER(reductions) {
  if (_import_array() < 0) throw pybind11::error_already_set();
  if (PyModule_AddFunctions(m.ptr(), minidl::bindings::methods) < 0) {
    throw pybind11::error_already_set();
  }
}
