// NumPy's allocator for the results of kernels (NumPy enhancement proposal 49): an array remembers
// whose memory it holds and gives it back there.
#include "bindings/output.h"

#include <pybind11/stl.h>

#include <malloc.h>

#include <algorithm>
#include <cstring>

#include "bindings/registry.h"
#include "cpu/recycler.h"

namespace minidl::bindings {
namespace {

void* allocate(void*, size_t bytes) { return cpu::take_block(bytes); }

void* allocate_zeroed(void*, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) return nullptr;
  void* block = cpu::take_block(bytes);
  if (block != nullptr) std::memset(block, 0, bytes);
  return block;
}

void release(void*, void* block, size_t bytes) { cpu::give_block(block, bytes); }

// For ndarray.resize, which does not say how large the old block was.
void* resize(void*, void* block, size_t bytes) {
  void* moved = cpu::take_block(bytes);
  if (moved == nullptr || block == nullptr) return moved;
  const size_t room = malloc_usable_size(block);
  std::memcpy(moved, block, std::min(room, bytes));
  std::free(block);
  return moved;
}

PyDataMem_Handler handler = {
    "minidl", 1, {nullptr, &allocate, &allocate_zeroed, &resize, &release}};

PyObject* capsule = nullptr;

}  // namespace

PyArrayObject* empty_array(int rank, const npy_intp* shape, int type, bool fortran) {
  npy_intp count = 1;
  bool large = false;
  for (int axis = 0; axis < rank && !large; ++axis) {
    large = __builtin_mul_overflow(count, shape[axis], &count) ||
            count >= static_cast<npy_intp>(cpu::kRecycledBytes);
  }
  auto* extents = const_cast<npy_intp*>(shape);
  if (!large) return as_array(PyArray_EMPTY(rank, extents, type, fortran));
  PyObject* previous = PyDataMem_SetHandler(capsule);
  if (previous == nullptr) return nullptr;
  PyObject* made = PyArray_EMPTY(rank, extents, type, fortran);
  PyObject* ours = PyDataMem_SetHandler(previous);
  Py_DECREF(previous);
  Py_XDECREF(ours);
  return as_array(made);
}

}  // namespace minidl::bindings

MINIDL_REGISTER(output) {
  using minidl::bindings::capsule;
  if (_import_array() < 0) throw pybind11::error_already_set();
  capsule = PyCapsule_New(&minidl::bindings::handler, "mem_handler", nullptr);
  if (capsule == nullptr) throw pybind11::error_already_set();
  m.def("idle_bytes", &minidl::cpu::idle_bytes,
        "Bytes of freed results that are kept for the next ones.");
  m.def("release_blocks", &minidl::cpu::release_blocks, "Gives the idle bytes back to the system.");
  m.def(
      "empty",
      [](const std::vector<int64_t>& shape, const pybind11::dtype& dtype) {
        const std::vector<npy_intp> extents(shape.begin(), shape.end());
        PyObject* made = reinterpret_cast<PyObject*>(minidl::bindings::empty_array(
            static_cast<int>(extents.size()), extents.data(), dtype.num()));
        if (made == nullptr) throw pybind11::error_already_set();
        return pybind11::reinterpret_steal<pybind11::object>(made);
      },
      pybind11::arg("shape"), pybind11::arg("dtype"),
      "An uninitialised array whose memory is kept for later results when it is freed.");
}
