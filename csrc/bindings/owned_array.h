// Functions on arrays that speak to NumPy's C API directly, for what fast_call.h does not serve:
// several arrays in any layout, outputs of several arrays. See there why they bypass pybind11.
#pragma once

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "bindings/fast_call.h"

namespace minidl::bindings {

using Arguments = PyObject* const*;

// An owned reference, and the array behind it.
class Array {
 public:
  explicit Array(PyObject* owned = nullptr) : object_(owned) {}
  explicit Array(PyArrayObject* owned) : object_(reinterpret_cast<PyObject*>(owned)) {}
  Array(Array&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Array& operator=(Array&& other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Array() { Py_XDECREF(object_); }

  explicit operator bool() const { return object_ != nullptr; }
  PyArrayObject* get() const { return as_array(object_); }
  PyObject* object() const { return object_; }
  PyObject* release() { return std::exchange(object_, nullptr); }
  int type() const { return PyArray_TYPE(get()); }
  int rank() const { return PyArray_NDIM(get()); }
  const npy_intp* shape() const { return PyArray_DIMS(get()); }
  int64_t size() const { return PyArray_SIZE(get()); }
  template <typename T>
  T* data() const {
    return static_cast<T*>(PyArray_DATA(get()));
  }
  // Null where there is no array.
  template <typename T>
  T* data_or_null() const {
    return object_ == nullptr ? nullptr : data<T>();
  }

 private:
  PyObject* object_;
};

inline bool is_float(PyObject* value) {
  if (!PyArray_Check(value)) return false;
  const PyArrayObject* array = as_array(value);
  const int type = PyArray_TYPE(array);
  return (type == NPY_FLOAT || type == NPY_DOUBLE) && PyArray_ISNOTSWAPPED(array);
}

inline bool has_type(PyObject* value, int type) {
  return is_float(value) && PyArray_TYPE(as_array(value)) == type;
}

inline bool same_kind(PyObject* value, const Array& like) { return has_type(value, like.type()); }

// The array itself where it is contiguous and aligned, else a copy that is; null with an error set.
inline Array contiguous(PyObject* value) {
  auto* array = as_array(value);
  if (PyArray_ISCARRAY_RO(array)) return Array(Py_NewRef(value));
  return Array(PyArray_FromArray(array, nullptr, NPY_ARRAY_CARRAY_RO));
}

// Integers of any kind.
inline bool is_integer(PyObject* value) {
  return PyArray_Check(value) && PyArray_ISINTEGER(as_array(value));
}

// Integers as contiguous int64; null with an error set.
inline Array as_int64(PyObject* value) {
  auto* array = as_array(value);
  if (PyArray_TYPE(array) == NPY_INT64 && PyArray_ISCARRAY_RO(array)) {
    return Array(Py_NewRef(value));
  }
  return Array(PyArray_FromArray(array, PyArray_DescrFromType(NPY_INT64),
                                 NPY_ARRAY_CARRAY_RO | NPY_ARRAY_FORCECAST));
}

inline Array empty_like(const Array& array) {
  return Array(empty_array(array.rank(), array.shape(), array.type()));
}

// Gives the GIL away while it lives, where there is enough to compute; takes it back on any way
// out.
class GilAway {
 public:
  explicit GilAway(bool worth) : state_(worth ? PyEval_SaveThread() : nullptr) {}
  GilAway(const GilAway&) = delete;
  ~GilAway() {
    if (state_ != nullptr) PyEval_RestoreThread(state_);
  }

 private:
  PyThreadState* state_;
};

// Calls work(T{}) for the element type.
template <typename Work>
void run(const Array& array, const Work& work) {
  const GilAway away(array.size() > 1 << 15);
  if (array.type() == NPY_FLOAT) {
    work(float{});
  } else {
    work(double{});
  }
}

inline bool expect(Py_ssize_t count, Py_ssize_t wanted, const char* name) {
  if (count == wanted) return true;
  PyErr_Format(PyExc_TypeError, "%s() takes %zd arguments, got %zd", name, wanted, count);
  return false;
}

// No C++ exception may cross the interpreter's C frames: it would end the process.
template <PyObject* (*function)(Arguments, Py_ssize_t)>
PyObject* guarded(PyObject*, Arguments args, Py_ssize_t count, PyObject* keywords) noexcept {
  if (keywords != nullptr) return refuse();
  try {
    return function(args, count);
  } catch (const std::bad_alloc&) {
    return PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
    return nullptr;
  }
}

}  // namespace minidl::bindings
