// Elementwise operations, called with the array module and array objects:
//   result = add(xp, a, b)      leaky_relu(xp, x, 0.1)      squared_error(xp, x, t, float32)
// After the operands (arrays; numbers in the place of some, where there are several) and the
// numbers may come the dtype of the result. NotImplemented for whatever the kernels do not take.
#include "cuda/elementwise.h"

#include <optional>

#include "bindings/device_objects.h"
#include "bindings/registry.h"
#include "cuda/walk_plan.h"

namespace minidl::bindings::elementwise {
namespace {

using cuda::max_elementwise_inputs;
using cuda::max_elementwise_numbers;

bool is_floating(DType dtype) { return dtype >= DType::float16; }

bool is_number(PyObject* object) {
  return PyFloat_CheckExact(object) || PyLong_CheckExact(object) || PyBool_Check(object);
}

// Whether an integer fits a dtype.
bool fits(std::int64_t number, DType dtype) {
  if (dtype == DType::boolean || dtype == DType::uint64) return number >= 0;
  const int bits = 8 * static_cast<int>(item_bytes(dtype));
  if (dtype >= DType::int8) return bits == 64 || (number >> (bits - 1)) == (number >> 63);
  return number >= 0 && number >> bits == 0;
}

// A number beside arrays of `dtype`; none where it would change their dtype or does not fit it.
std::optional<cuda::Number> read_number(PyObject* object, DType dtype) {
  if (PyFloat_CheckExact(object)) {
    if (!is_floating(dtype)) return {};
    return cuda::Number{PyFloat_AS_DOUBLE(object), 0};
  }
  if (dtype == DType::boolean && !PyBool_Check(object)) return {};
  int overflow = 0;
  const std::int64_t whole = PyLong_AsLongLongAndOverflow(object, &overflow);
  if (overflow != 0 || (!is_floating(dtype) && !fits(whole, dtype))) return {};
  return cuda::Number{static_cast<double>(whole), whole};
}

// The operands of a call.
struct Call {
  cuda::Operand inputs[max_elementwise_inputs];
  cuda::Number numbers[max_elementwise_numbers];
  DeviceObject arrays[max_elementwise_inputs];
  int count = 0;  // of arrays
};

// Reads the arguments after `xp`. False for what the kernels do not take.
bool read(const cuda::ElementwiseRow& row, PyObject* const* args, Call& call) {
  for (int n = 0; n < row.inputs; ++n) {
    if (is_number(args[n])) continue;
    if (!is_device_array(args[n])) return false;
    DeviceObject& object = call.arrays[call.count++] = read_device_array(args[n]);
    if (object.array.dtype != call.arrays[0].array.dtype) return false;
    call.inputs[n].array = object.array;
  }
  if (call.count == 0) return false;
  const DType dtype = call.arrays[0].array.dtype;
  const bool kind = row.kind == cuda::ElementwiseKind::any ||
                    (row.kind == cuda::ElementwiseKind::floats) == is_floating(dtype);
  for (int n = 0; n < row.inputs + row.numbers; ++n) {
    if (n < row.inputs && !is_number(args[n])) continue;
    if (!is_number(args[n])) return false;
    const auto number = read_number(args[n], dtype);
    if (!number) return false;
    (n < row.inputs ? call.inputs[n].number : call.numbers[n - row.inputs]) = *number;
  }
  return kind;
}

// The shape to which the arrays broadcast; none where they do not.
std::optional<std::vector<std::int64_t>> joint_shape(const Call& call) {
  std::vector<std::int64_t> shape = call.arrays[0].array.shape;
  for (int n = 1; n < call.count; ++n) {
    const std::vector<std::int64_t>& other = call.arrays[n].array.shape;
    if (other == shape) continue;
    if (other.size() > shape.size()) shape.insert(shape.begin(), other.size() - shape.size(), 1);
    for (std::size_t i = 1; i <= other.size(); ++i) {
      std::int64_t& size = shape[shape.size() - i];
      const std::int64_t theirs = other[other.size() - i];
      if (size != theirs && size != 1 && theirs != 1) return {};
      if (size == 1) size = theirs;
    }
  }
  return shape;
}

// The result, laid out as the first array that has its shape.
py::object empty_result(py::handle xp, const Call& call, py::handle dtype) {
  const auto shape = joint_shape(call);
  if (!shape) return {};
  for (int n = 0; n < call.count; ++n) {
    if (call.arrays[n].array.shape == *shape) return empty_like(xp, call.arrays[n], dtype);
  }
  DeviceObject plain;
  plain.array.shape = *shape;
  plain.array.strides.assign(shape->size(), 0);  // repeated: C order
  py::tuple sizes(shape->size());
  for (std::size_t d = 0; d < shape->size(); ++d) sizes[d] = (*shape)[d];
  plain.shape = sizes;
  return empty_like(xp, plain, dtype);
}

template <cuda::ElementwiseOp op>
PyObject* elementwise(PyObject*, PyObject* const* args, Py_ssize_t count) {
  return guarded([&]() -> PyObject* {
    static const cuda::ElementwiseRow row = cuda::elementwise_row(op);
    const Py_ssize_t least = 1 + row.inputs + row.numbers;
    if (count < least || count > least + 1) {
      throw TypeMismatch(concat(row.name, " takes the array module, ", row.inputs, " operands and ",
                                row.numbers, " numbers"));
    }
    Call call;
    if (!read(row, args + 1, call)) return Py_NewRef(Py_NotImplemented);
    static PyObject* const truth = reinterpret_cast<PyObject*>(&PyBool_Type);
    const py::handle dtype = count > least ? py::handle(args[least])
                             : row.truth   ? py::handle(truth)
                                           : py::handle(call.arrays[0].dtype);
    py::object result = empty_result(args[0], call, dtype);
    if (!result) return Py_NewRef(Py_NotImplemented);
    cuda::elementwise(op, call.inputs, call.numbers, read_device_array(result).array,
                      current_stream(args[0]));
    return result.release().ptr();
  });
}

#define MINIDL_METHOD(name, inputs, numbers, kind, path, expression)           \
  {#name,                                                                      \
   reinterpret_cast<PyCFunction>(                                              \
       reinterpret_cast<void (*)()>(&elementwise<cuda::ElementwiseOp::name>)), \
   METH_FASTCALL, #expression},
PyMethodDef methods[] = {MINIDL_ELEMENTWISE(MINIDL_METHOD){nullptr, nullptr, 0, nullptr}};
#undef MINIDL_METHOD

}  // namespace

MINIDL_REGISTER(elementwise) {
  if (PyModule_AddFunctions(m.ptr(), methods) < 0) {
    throw pybind11::error_already_set();
  }
}

}  // namespace minidl::bindings::elementwise
