// Optimizer steps of minidl._native: see csrc/cpu/optim.h. All arguments are looked at before the
// first element is written, so a refusal leaves everything as it was.
#include "cpu/optim.h"

#include <cmath>
#include <vector>

#include "bindings/fast_call.h"
#include "bindings/registry.h"

namespace minidl::bindings::optim {
namespace {

using namespace minidl::cpu;

// References that end with the scope.
class Owned {
 public:
  explicit Owned(size_t expected) { objects_.reserve(expected); }
  ~Owned() {
    for (PyObject* object : objects_) Py_DECREF(object);
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;

  PyObject* keep(PyObject* object) {
    objects_.push_back(object);
    return object;
  }

 private:
  std::vector<PyObject*> objects_;
};

bool is_list(PyObject* object, Py_ssize_t size) {
  return PyList_CheckExact(object) && PyList_GET_SIZE(object) == size;
}

// Whether the elements lie without gaps, whatever the order of the axes.
bool is_dense(PyArrayObject* array) {
  if (PyArray_IS_C_CONTIGUOUS(array)) return true;
  const int rank = PyArray_NDIM(array);
  npy_intp expected = PyArray_ITEMSIZE(array);
  uint64_t left = 0;  // axes that are not placed yet
  for (int axis = 0; axis < rank; ++axis) {
    if (PyArray_DIM(array, axis) != 1) left |= uint64_t{1} << axis;
  }
  while (left != 0) {
    int next = -1;
    for (int axis = 0; axis < rank && next < 0; ++axis) {
      if ((left >> axis & 1) != 0 && PyArray_STRIDE(array, axis) == expected) next = axis;
    }
    if (next < 0) return false;
    expected *= PyArray_DIM(array, next);
    left &= ~(uint64_t{1} << next);
  }
  return true;
}

// Whether an array holds as many elements as `like`, of a type.
bool matches(PyObject* object, int type, PyArrayObject* like) {
  if (!PyArray_CheckExact(object)) return false;
  PyArrayObject* array = as_array(object);
  return PyArray_TYPE(array) == type && PyArray_SIZE(array) == PyArray_SIZE(like) &&
         PyArray_ISNOTSWAPPED(array) && PyArray_ISALIGNED(array);
}

// Whether elements lie in the order of those of `like`.
bool in_order(PyArrayObject* array, PyArrayObject* like) {
  if (PyArray_IS_C_CONTIGUOUS(like)) return PyArray_IS_C_CONTIGUOUS(array);
  bool same = PyArray_NDIM(array) == PyArray_NDIM(like);
  for (int axis = 0; same && axis < PyArray_NDIM(like); ++axis) {
    const npy_intp size = PyArray_DIM(like, axis);
    same = PyArray_DIM(array, axis) == size &&
           (size == 1 || PyArray_STRIDE(array, axis) == PyArray_STRIDE(like, axis));
  }
  return same;
}

// Memory that may be written, in the order of the parameter `like`, which has no gaps; else null.
template <class T>
T* written(PyObject* object, PyArrayObject* like) {
  if (!matches(object, type_number<T>, like)) return nullptr;
  PyArrayObject* array = as_array(object);
  if (!PyArray_ISWRITEABLE(array) || !in_order(array, like) || !is_dense(array)) return nullptr;
  return data_of<T>(array);
}

// Memory that is read: a copy where the array lies in another order than a contiguous parameter.
template <class T>
const T* read(PyObject* object, PyArrayObject* like, Owned& owned) {
  if (!matches(object, type_number<T>, like)) return nullptr;
  if (in_order(as_array(object), like)) return data_of<T>(as_array(object));
  if (!PyArray_IS_C_CONTIGUOUS(like)) return nullptr;
  PyObject* copy = PyArray_NewCopy(as_array(object), NPY_CORDER);
  if (copy == nullptr) {
    PyErr_Clear();
    return nullptr;
  }
  return data_of<T>(as_array(owned.keep(copy)));
}

bool read_scalars(PyObject* const* args, std::initializer_list<double*> targets) {
  for (double* target : targets) {
    if (!read_scalar(*args++, *target)) return false;
  }
  return true;
}

bool read_flag(PyObject* object, bool& value) {
  if (!PyBool_Check(object)) return false;
  value = object == Py_True;
  return true;
}

// Runs step(tensors, count, options), without the GIL where it is long enough for others to profit.
template <class Tensor, class Options>
PyObject* run(void (*step)(const Tensor*, int64_t, const Options&),
              const std::vector<Tensor>& tensors, const Options& options) {
  int64_t work = 0;
  for (const Tensor& tensor : tensors) work += tensor.size;
  return finish(as_array(Py_NewRef(Py_None)), work,
                [&] { step(tensors.data(), static_cast<int64_t>(tensors.size()), options); });
}

// Reads and advances a step count: a float32 array of one element.
float* step_count(PyObject* object) {
  if (!PyArray_CheckExact(object) || PyArray_TYPE(as_array(object)) != NPY_FLOAT32) return nullptr;
  PyArrayObject* array = as_array(object);
  const bool usable = PyArray_SIZE(array) == 1 && PyArray_ISBEHAVED(array);
  return usable ? data_of<float>(array) : nullptr;
}

template <class T>
PyObject* adam(PyObject* const* args, const AdamOptions& options) {
  const Py_ssize_t count = PyList_GET_SIZE(args[0]);
  const bool amsgrad = args[4] != Py_None;
  Owned copies(0);
  std::vector<AdamTensor<T>> tensors(count);
  std::vector<float*> steps(count);
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyObject* param = PyList_GET_ITEM(args[0], i);
    if (!PyArray_CheckExact(param)) return refuse();
    PyArrayObject* like = as_array(param);
    const npy_intp size = PyArray_SIZE(like);
    auto& t = tensors[i];
    t = {written<T>(param, like),
         read<T>(PyList_GET_ITEM(args[1], i), like, copies),
         written<T>(PyList_GET_ITEM(args[2], i), like),
         written<T>(PyList_GET_ITEM(args[3], i), like),
         amsgrad ? written<T>(PyList_GET_ITEM(args[4], i), like) : nullptr,
         size,
         1,
         1};
    steps[i] = step_count(PyList_GET_ITEM(args[5], i));
    if (!t.param || !t.grad || !t.exp_avg || !t.exp_avg_sq || !steps[i]) return refuse();
    if (amsgrad && !t.max_exp_avg_sq) return refuse();
  }
  double step = 0, correction1 = 0, correction2 = 0;
  for (Py_ssize_t i = 0; i < count; ++i) {
    *steps[i] += 1.0f;
    if (*steps[i] != step) {  // parameters mostly share it
      step = *steps[i];
      correction1 = 1 - std::pow(options.beta1, step);
      correction2 = 1 - std::pow(options.beta2, step);
    }
    tensors[i].correction1 = correction1;
    tensors[i].correction2 = correction2;
  }
  return run(optim_kernels<T>().adam_step, tensors, options);
}

PyObject* adam_step_call(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  if (count != 13 || keywords != nullptr || !PyList_CheckExact(args[0])) return refuse();
  const Py_ssize_t size = PyList_GET_SIZE(args[0]);
  for (const int i : {1, 2, 3, 5}) {
    if (!is_list(args[i], size)) return refuse();
  }
  if (args[4] != Py_None && !is_list(args[4], size)) return refuse();
  AdamOptions o{};
  if (!read_scalars(args + 6, {&o.lr, &o.beta1, &o.beta2, &o.eps, &o.weight_decay}) ||
      !read_flag(args[11], o.decoupled) || !read_flag(args[12], o.maximize)) {
    return refuse();
  }
  if (size == 0) Py_RETURN_NONE;
  PyObject* first = PyList_GET_ITEM(args[0], 0);
  if (!is_real(first)) return refuse();
  return PyArray_TYPE(as_array(first)) == NPY_FLOAT32 ? adam<float>(args, o)
                                                      : adam<double>(args, o);
}

template <class T>
PyObject* sgd(PyObject* const* args, const SgdOptions& options) {
  const Py_ssize_t count = PyList_GET_SIZE(args[0]);
  const bool momentum = args[2] != Py_None;
  Owned copies(0);
  std::vector<SgdTensor<T>> tensors(count);
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyObject* param = PyList_GET_ITEM(args[0], i);
    if (!PyArray_CheckExact(param)) return refuse();
    PyArrayObject* like = as_array(param);
    const npy_intp size = PyArray_SIZE(like);
    auto& t = tensors[i];
    t = {written<T>(param, like), read<T>(PyList_GET_ITEM(args[1], i), like, copies),
         momentum ? written<T>(PyList_GET_ITEM(args[2], i), like) : nullptr, size, false};
    if (!t.param || !t.grad || (momentum && !t.buffer)) return refuse();
    if (momentum && !read_flag(PyList_GET_ITEM(args[3], i), t.fresh)) return refuse();
  }
  return run(optim_kernels<T>().sgd_step, tensors, options);
}

PyObject* sgd_step_call(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  if (count != 10 || keywords != nullptr || !PyList_CheckExact(args[0])) return refuse();
  const Py_ssize_t size = PyList_GET_SIZE(args[0]);
  if (!is_list(args[1], size)) return refuse();
  if (args[2] != Py_None && !(is_list(args[2], size) && is_list(args[3], size))) return refuse();
  SgdOptions o{};
  if (!read_scalars(args + 4, {&o.lr, &o.momentum, &o.dampening}) ||
      !read_flag(args[7], o.nesterov) || !read_scalar(args[8], o.weight_decay) ||
      !read_flag(args[9], o.maximize)) {
    return refuse();
  }
  if (size == 0) Py_RETURN_NONE;
  PyObject* first = PyList_GET_ITEM(args[0], 0);
  if (!is_real(first)) return refuse();
  return PyArray_TYPE(as_array(first)) == NPY_FLOAT32 ? sgd<float>(args, o) : sgd<double>(args, o);
}

PyMethodDef methods[] = {
    fast_method(
        "adam_step", adam_step_call,
        "adam_step(params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, steps, lr, beta1, "
        "beta2, eps, weight_decay, decoupled, maximize)"),
    fast_method(
        "sgd_step", sgd_step_call,
        "sgd_step(params, grads, momentum_buffers, fresh, lr, momentum, dampening, nesterov, "
        "weight_decay, maximize)"),
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

MINIDL_REGISTER(optim) {
  if (_import_array() < 0) throw pybind11::error_already_set();
  if (PyModule_AddFunctions(m.ptr(), methods) < 0) {
    throw pybind11::error_already_set();
  }
}

}  // namespace minidl::bindings::optim
