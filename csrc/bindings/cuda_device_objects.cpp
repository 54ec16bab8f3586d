#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "bindings/cuda_array.h"
#include "bindings/device_objects.h"

namespace minidl::bindings {
namespace {

namespace py = pybind11;

py::object attribute(py::handle object, PyObject* name) {
  PyObject* const value = PyObject_GetAttr(object.ptr(), name);
  if (!value) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(value);
}

py::object call(py::handle function, std::initializer_list<PyObject*> arguments) {
  PyObject* const value =
      PyObject_Vectorcall(function.ptr(), arguments.begin(), arguments.size(), nullptr);
  if (!value) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(value);
}

// NumPy has one dtype object a dtype, or few: those that were seen are known again by address.
DType dtype_of_object(py::handle object) {
  struct Seen {
    PyObject* object;
    DType dtype;
  };
  static std::vector<Seen> seen;
  for (const Seen& entry : seen) {
    if (entry.object == object.ptr()) return entry.dtype;
  }
  const DType dtype = dtype_of(attribute(object, MINIDL_INTERNED("char")).cast<std::string>());
  if (seen.size() < 64) seen.push_back({object.inc_ref().ptr(), dtype});
  return dtype;
}

std::vector<std::int64_t> numbers_of(py::handle tuple) {
  if (!PyTuple_Check(tuple.ptr())) throw py::type_error("a shape or strides that are no tuple");
  std::vector<std::int64_t> numbers(PyTuple_GET_SIZE(tuple.ptr()));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = PyLong_AsLongLong(PyTuple_GET_ITEM(tuple.ptr(), i));
  }
  if (PyErr_Occurred()) throw py::error_already_set();
  return numbers;
}

py::tuple tuple_of(const std::vector<std::int64_t>& numbers) {
  py::tuple tuple(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) tuple[i] = numbers[i];
  return tuple;
}

}  // namespace

bool DeviceObject::is_contiguous() const {
  std::int64_t step = 1;
  for (int d = array.rank() - 1; d >= 0; --d) {
    if (array.shape[d] != 1 && array.strides[d] != step) return array.count() == 0;
    step *= array.shape[d];
  }
  return true;
}

bool is_device_array(py::handle object) {
  if (PyFloat_Check(object.ptr()) || PyLong_Check(object.ptr()) || object.is_none()) return false;
  return PyObject_HasAttr(object.ptr(), MINIDL_INTERNED("dtype"));
}

DeviceObject read_device_array(py::handle object) {
  DeviceObject found;
  const py::object data = attribute(object, MINIDL_INTERNED("data"));
  const py::object pointer = attribute(data, MINIDL_INTERNED("ptr"));
  found.array.data = PyLong_AsVoidPtr(pointer.ptr());
  if (!found.array.data && PyErr_Occurred()) throw py::error_already_set();
  found.dtype = attribute(object, MINIDL_INTERNED("dtype"));
  found.array.dtype = dtype_of_object(found.dtype);
  found.shape = attribute(object, MINIDL_INTERNED("shape"));
  found.array.shape = numbers_of(found.shape);
  found.array.strides = numbers_of(attribute(object, MINIDL_INTERNED("strides")));
  const std::int64_t bytes = item_bytes(found.array.dtype);
  for (std::int64_t& stride : found.array.strides) {
    MINIDL_CHECK(stride % bytes == 0, "a stride of ", stride, " bytes is not a multiple of the ",
                 bytes, " bytes of an element");
    stride /= bytes;
  }
  return found;
}

py::object empty_like(py::handle xp, const DeviceObject& like, py::handle dtype) {
  const py::object empty = attribute(xp, MINIDL_INTERNED("empty"));
  if (like.is_contiguous()) return call(empty, {like.shape.ptr(), dtype.ptr()});
  const auto& [shape, strides] = std::tie(like.array.shape, like.array.strides);
  std::vector<std::int64_t> order(shape.size());  // the axes, slowest first
  std::iota(order.begin(), order.end(), 0);
  bool repeats = false;
  for (std::size_t d = 0; d < shape.size(); ++d) repeats |= shape[d] > 1 && strides[d] == 0;
  if (!repeats) {
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
      return std::abs(strides[a]) > std::abs(strides[b]);
    });
  }
  if (std::is_sorted(order.begin(), order.end())) {
    return call(empty, {like.shape.ptr(), dtype.ptr()});
  }
  std::vector<std::int64_t> sizes(shape.size()), place(shape.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    sizes[i] = shape[order[i]];
    place[order[i]] = static_cast<std::int64_t>(i);
  }
  const py::tuple laid = tuple_of(sizes), back = tuple_of(place);
  const py::object made = call(empty, {laid.ptr(), dtype.ptr()});
  return call(attribute(made, MINIDL_INTERNED("transpose")), {back.ptr()});
}

cuda::Stream current_stream(py::handle xp) {
  const py::object cuda = attribute(xp, MINIDL_INTERNED("cuda"));
  const py::object stream = call(attribute(cuda, MINIDL_INTERNED("get_current_stream")), {});
  const py::object pointer = attribute(stream, MINIDL_INTERNED("ptr"));
  return reinterpret_cast<cuda::Stream>(PyLong_AsVoidPtr(pointer.ptr()));
}

}  // namespace minidl::bindings
