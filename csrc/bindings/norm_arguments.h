// What the bindings of normalisation share.
#pragma once

#include <initializer_list>

#include "bindings/owned_array.h"
#include "cpu/norm.h"

namespace minidl::bindings {

// False where the reference is to be asked, with or without an error set: see given_up().
inline bool vector_of(PyObject* value, const Array& like, int64_t size, Array& vector) {
  if (value == Py_None) return true;
  if (!same_kind(value, like)) return false;
  vector = contiguous(value);
  return vector && vector.size() == size;
}

inline PyObject* given_up() { return PyErr_Occurred() ? nullptr : refuse(); }

inline bool read_needs(PyObject* object, Py_ssize_t count, bool* needs) {
  if (!PyTuple_Check(object) || PyTuple_GET_SIZE(object) != count) return false;
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyObject* item = PyTuple_GET_ITEM(object, i);
    if (!PyBool_Check(item)) return false;
    needs[i] = item == Py_True;
  }
  return true;
}

// A tuple of the arrays, None for those that are not there.
inline PyObject* pack(std::initializer_list<Array*> arrays) {
  PyObject* tuple = PyTuple_New(static_cast<Py_ssize_t>(arrays.size()));
  if (tuple == nullptr) return nullptr;
  Py_ssize_t i = 0;
  for (Array* array : arrays) {
    PyTuple_SET_ITEM(tuple, i++, *array ? array->release() : Py_NewRef(Py_None));
  }
  return tuple;
}

// The gradients that are wanted, as uninitialised arrays.
struct Outputs {
  Array input, weight, bias;

  bool make(const bool* needs, const Array& x, int rank, const npy_intp* shape) {
    if (needs[0]) input = empty_like(x);
    if (needs[1]) weight = Array(empty_array(rank, shape, x.type()));
    if (needs[2]) bias = Array(empty_array(rank, shape, x.type()));
    return (input || !needs[0]) && (weight || !needs[1]) && (bias || !needs[2]);
  }
  template <typename T>
  cpu::NormGradients<T> pointers() const {
    return {input.data_or_null<T>(), weight.data_or_null<T>(), bias.data_or_null<T>()};
  }
};

}  // namespace minidl::bindings
