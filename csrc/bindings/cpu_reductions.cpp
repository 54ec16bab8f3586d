// Reductions of minidl._native over tuples of dimensions (or one): see csrc/cpu/reductions.h.
#include "cpu/reductions.h"

#include <algorithm>

#include "bindings/fast_call.h"
#include "bindings/registry.h"

namespace minidl::bindings::reductions {
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

// An array's axes from the slowest to the fastest in memory; false where there are gaps.
bool memory_order(PyArrayObject* x, int* order) {
  const int rank = PyArray_NDIM(x);
  for (int axis = 0; axis < rank; ++axis) order[axis] = axis;
  if (PyArray_IS_C_CONTIGUOUS(x)) return true;
  std::stable_sort(order, order + rank,
                   [&](int a, int b) { return PyArray_STRIDE(x, a) > PyArray_STRIDE(x, b); });
  npy_intp expected = PyArray_ITEMSIZE(x);
  for (int i = rank - 1; i >= 0; --i) {
    if (PyArray_DIM(x, order[i]) == 1) continue;
    if (PyArray_STRIDE(x, order[i]) != expected) return false;
    expected *= PyArray_DIM(x, order[i]);
  }
  return true;
}

// False where the axes do not fall into the pattern R0 K0 R1 K1, or those that stay would have to
// change places.
bool read_shape(PyArrayObject* x, uint64_t reduced, ReduceShape& s) {
  int order[NPY_MAXDIMS];
  if (!memory_order(x, order)) return false;
  int64_t* const slots[] = {&s.r0, &s.k0, &s.r1, &s.k1};
  int slot = 0, last_kept = -1;
  for (int i = 0; i < PyArray_NDIM(x); ++i) {
    const int64_t extent = PyArray_DIM(x, order[i]);
    if (extent == 1) continue;
    const bool gone = (reduced >> order[i]) & 1;
    if (!gone && order[i] < last_kept) return false;
    if (!gone) last_kept = order[i];
    if (gone != (slot % 2 == 0) && ++slot == 4) return false;
    *slots[slot] *= extent;
  }
  if (slot == 0) std::swap(s.r0, s.r1);  // nothing stays: one row
  return true;
}

PyArrayObject* empty_result(PyArrayObject* x, uint64_t reduced, bool keepdim, int type) {
  npy_intp shape[NPY_MAXDIMS];
  int rank = 0;
  for (int axis = 0; axis < PyArray_NDIM(x); ++axis) {
    const bool gone = (reduced >> axis) & 1;
    if (!gone) shape[rank++] = PyArray_DIM(x, axis);
    if (gone && keepdim) shape[rank++] = 1;
  }
  return empty_array(rank, shape, type);
}

enum class Kind { sum, sum_squares, prod, amax, amin };

template <Kind kind, class T>
PyObject* reduce_array(PyArrayObject* x, const ReduceShape& s, PyArrayObject* out) {
  const auto& kernels = reduction_kernels<T>();
  const auto kernel = kind == Kind::sum           ? kernels.sum
                      : kind == Kind::sum_squares ? kernels.sum_squares
                      : kind == Kind::prod        ? kernels.prod
                      : kind == Kind::amax        ? kernels.amax
                                                  : kernels.amin;
  return finish(out, PyArray_SIZE(x), [&] { kernel(s, data_of<T>(x), data_of<T>(out)); });
}

// Whether the kernels take an array: real numbers, and for sums whole ones.
template <Kind kind>
bool is_served(PyObject* object) {
  return is_real(object) || (kind == Kind::sum && is_whole(object));
}

template <Kind kind>
PyObject* reduce_call(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  if (count != 3 || keywords != nullptr || !is_served<kind>(args[0])) return refuse();
  PyArrayObject* x = as_array(args[0]);
  uint64_t reduced;
  ReduceShape s;
  if (!PyBool_Check(args[2])) return refuse();
  if (!read_axes(args[1], PyArray_NDIM(x), reduced) || !read_shape(x, reduced, s)) return refuse();
  const bool extremum = kind == Kind::amax || kind == Kind::amin;
  if (extremum && PyArray_SIZE(x) == 0) return refuse();  // for the reference to complain
  PyArrayObject* out = empty_result(x, reduced, args[2] == Py_True, PyArray_TYPE(x));
  if (out == nullptr) return nullptr;
  if (PyArray_TYPE(x) == NPY_INT64) {
    return finish(out, PyArray_SIZE(x),
                  [&] { sum_whole(s, data_of<int64_t>(x), data_of<int64_t>(out)); });
  }
  return PyArray_TYPE(x) == NPY_FLOAT32 ? reduce_array<kind, float>(x, s, out)
                                        : reduce_array<kind, double>(x, s, out);
}

// A contiguous array as [K, R, M] about the axis R that `dim` names; false where it is none.
struct Along {
  int64_t k = 1, r = 1, m = 1;
  int axis = 0;

  bool read(PyArrayObject* x, PyObject* dim) {
    if (!PyLong_CheckExact(dim) || !PyArray_IS_C_CONTIGUOUS(x)) return false;
    int overflow = 0;
    const long value = PyLong_AsLongAndOverflow(dim, &overflow);
    if (overflow != 0 || value < 0 || value >= PyArray_NDIM(x)) return false;
    axis = static_cast<int>(value);
    for (int i = 0; i < PyArray_NDIM(x); ++i) {
      (i < axis ? k : i == axis ? r : m) *= PyArray_DIM(x, i);
    }
    return true;
  }
};

template <bool kLargest, class T>
PyObject* find_array(PyArrayObject* x, const Along& a, PyArrayObject* out) {
  const auto& kernels = position_kernels<T>();
  const auto kernel = kLargest ? kernels.argmax : kernels.argmin;
  return finish(out, PyArray_SIZE(x),
                [&] { kernel(a.k, a.r, a.m, data_of<T>(x), data_of<int64_t>(out)); });
}

template <bool kLargest>
PyObject* find_call(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  if (count != 3 || keywords != nullptr || !is_real(args[0]) || !PyBool_Check(args[2])) {
    return refuse();
  }
  PyArrayObject* x = as_array(args[0]);
  Along along;
  if (!along.read(x, args[1]) || PyArray_SIZE(x) == 0) return refuse();
  PyArrayObject* out = empty_result(x, uint64_t{1} << along.axis, args[2] == Py_True, NPY_INT64);
  if (out == nullptr) return nullptr;
  return PyArray_TYPE(x) == NPY_FLOAT32 ? find_array<kLargest, float>(x, along, out)
                                        : find_array<kLargest, double>(x, along, out);
}

template <bool kSums, class T>
PyObject* scan_array(PyArrayObject* x, const Along& a, PyArrayObject* out) {
  const auto& kernels = position_kernels<T>();
  const auto kernel = kSums ? kernels.cumsum : kernels.cumprod;
  return finish(out, PyArray_SIZE(x),
                [&] { kernel(a.k, a.r, a.m, data_of<T>(x), data_of<T>(out)); });
}

template <bool kSums>
PyObject* scan_call(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  if (count != 2 || keywords != nullptr || !is_real(args[0])) return refuse();
  PyArrayObject* x = as_array(args[0]);
  Along along;
  if (!along.read(x, args[1])) return refuse();
  PyArrayObject* out = empty_result(x, 0, false, PyArray_TYPE(x));
  if (out == nullptr) return nullptr;
  return PyArray_TYPE(x) == NPY_FLOAT32 ? scan_array<kSums, float>(x, along, out)
                                        : scan_array<kSums, double>(x, along, out);
}

PyMethodDef methods[] = {
    fast_method("sum", &reduce_call<Kind::sum>, "sum(input, dims, keepdim)"),
    fast_method("sum_squares", &reduce_call<Kind::sum_squares>,
                "sum_squares(input, dims, keepdim)"),
    fast_method("prod", &reduce_call<Kind::prod>, "prod(input, dims, keepdim)"),
    fast_method("amax", &reduce_call<Kind::amax>, "amax(input, dims, keepdim)"),
    fast_method("amin", &reduce_call<Kind::amin>, "amin(input, dims, keepdim)"),
    fast_method("argmax", &find_call<true>, "argmax(input, dim, keepdim)"),
    fast_method("argmin", &find_call<false>, "argmin(input, dim, keepdim)"),
    fast_method("cumsum", &scan_call<true>, "cumsum(input, dim)"),
    fast_method("cumprod", &scan_call<false>, "cumprod(input, dim)"),
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

MINIDL_REGISTER(reductions) {
  if (_import_array() < 0) throw pybind11::error_already_set();
  if (PyModule_AddFunctions(m.ptr(), methods) < 0) {
    throw pybind11::error_already_set();
  }
}

}  // namespace minidl::bindings::reductions
