// Elementwise functions of minidl._native: see csrc/cpu/elementwise.h.
#include "cpu/elementwise.h"

#include "bindings/fast_call.h"
#include "bindings/layout.h"
#include "bindings/registry.h"
#include "cpu/thread_pool.h"

namespace minidl::bindings::elementwise {
namespace {

using namespace minidl::cpu;

// NumPy has vector code for powers of doubles; ours wins for few by its shorter way in.
constexpr int64_t kLargestDoublePower = 4096;

// A row of the lists of cpu/elementwise.h.
struct Row {
  int arrays, numbers, weight;
  ElementwiseRun<float> (*run_float)();
  ElementwiseRun<double> (*run_double)();

  template <class T>
  ElementwiseRun<T> run() const {
    if constexpr (std::is_same_v<T, float>) {
      return run_float();
    } else {
      return run_double();
    }
  }
};

template <class Op>
constexpr Row row_of{Op::kArrays, Op::kNumbers, Op::kWeight, &Op::template run<float>,
                     &Op::template run<double>};

// One contiguous array as a flat run over memory serves any order of the axes.
bool gapless(PyArrayObject* x) { return PyArray_IS_C_CONTIGUOUS(x) || PyArray_IS_F_CONTIGUOUS(x); }

bool same_layout(PyArrayObject* a, PyArrayObject* b) {
  const int rank = PyArray_NDIM(a);
  if (rank != PyArray_NDIM(b)) return false;
  if (!PyArray_CompareLists(PyArray_DIMS(a), PyArray_DIMS(b), rank)) return false;
  if (PyArray_IS_C_CONTIGUOUS(a) && PyArray_IS_C_CONTIGUOUS(b)) return true;
  return PyArray_IS_F_CONTIGUOUS(a) && PyArray_IS_F_CONTIGUOUS(b);
}

// An array of the same layout as one without gaps.
PyArrayObject* empty_like(PyArrayObject* x) {
  const bool fortran = !PyArray_IS_C_CONTIGUOUS(x);
  return empty_array(PyArray_NDIM(x), PyArray_DIMS(x), PyArray_TYPE(x), fortran);
}

// Operands that run through memory as the result does, or are one value (step 0). `like` is one of
// the former.
template <class T>
PyObject* run_flat(const Row& row, ElementwiseCall<T> call, PyArrayObject* like,
                   const int64_t* steps) {
  PyArrayObject* out = empty_like(like);
  if (out == nullptr) return nullptr;
  call.out = data_of<T>(out);
  const int64_t size = PyArray_SIZE(like);
  return finish(out, size * row.weight, [&] { elementwise_flat(call, size, steps); });
}

template <class T>
PyObject* run_strided(const Row& row, ElementwiseCall<T> call, PyArrayObject* const* arrays) {
  Layout<kMaxOperands> layout;
  if (!layout.plan(arrays, row.arrays)) return refuse();
  PyArrayObject* out = layout.result(type_number<T>);
  if (out == nullptr || layout.size() == 0) return reinterpret_cast<PyObject*>(out);
  call.out = data_of<T>(out);
  return finish(out, layout.size() * row.weight, [&] {
    const auto& walk = layout.walk();
    const int64_t steps[kMaxOperands] = {walk.step(0), walk.step(1)};
    const auto flat = [](int64_t step) { return step == 0 || step == 1; };
    walk.rank <= 1 && flat(steps[0]) && flat(steps[1]) ? elementwise_flat(call, walk.row(), steps)
                                                       : elementwise_walk(call, walk);
  });
}

template <class T>
PyObject* run_arrays(const Row& row, PyArrayObject* const* arrays, const double* numbers) {
  ElementwiseCall<T> call{row.run<T>(), row.weight, {}, {}, nullptr};
  for (int i = 0; i < row.numbers; ++i) call.numbers[i] = static_cast<T>(numbers[i]);
  for (int i = 0; i < kMaxOperands; ++i) {
    call.operands[i] = data_of<T>(arrays[i < row.arrays ? i : 0]);
  }
  static constexpr int64_t kOnes[kMaxOperands] = {1, 1};
  const bool flat = row.arrays == 1 ? gapless(arrays[0]) : same_layout(arrays[0], arrays[1]);
  return flat ? run_flat(row, call, arrays[0], kOnes) : run_strided(row, call, arrays);
}

// One array and one value; `left` says that the value comes first.
template <class T>
PyObject* run_with_value(const Row& row, PyArrayObject* x, double number, bool left) {
  const T value = static_cast<T>(number);
  ElementwiseCall<T> call{row.run<T>(), row.weight, {data_of<T>(x), &value}, {}, nullptr};
  if (left) std::swap(call.operands[0], call.operands[1]);
  if (gapless(x)) {
    const int64_t steps[kMaxOperands] = {!left, left};
    return run_flat(row, call, x, steps);
  }
  PyArrayObject* arrays[kMaxOperands] = {left ? nullptr : x, left ? x : nullptr};
  return run_strided(row, call, arrays);
}

PyObject* call_with_scalar(const Row& row, PyObject* array, PyObject* scalar, bool left) {
  double value;
  if (!is_real(array) || !read_scalar(scalar, value)) return refuse();
  PyArrayObject* x = as_array(array);
  return PyArray_TYPE(x) == NPY_FLOAT32 ? run_with_value<float>(row, x, value, left)
                                        : run_with_value<double>(row, x, value, left);
}

// The arrays, or for two of them an array and a Python number, and then the numbers.
PyObject* call_row(const Row& row, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  if (count != row.arrays + row.numbers || keywords != nullptr) return refuse();
  if (row.arrays == 2 && row.numbers == 0) {
    if (!PyArray_Check(args[1])) return call_with_scalar(row, args[0], args[1], false);
    if (!PyArray_Check(args[0])) return call_with_scalar(row, args[1], args[0], true);
  }
  PyArrayObject* arrays[kMaxOperands];
  for (int i = 0; i < row.arrays; ++i) {
    if (!is_real(args[i])) return refuse();
    arrays[i] = as_array(args[i]);
    if (PyArray_TYPE(arrays[i]) != PyArray_TYPE(arrays[0])) return refuse();
  }
  double numbers[kMaxNumbers];
  for (int i = 0; i < row.numbers; ++i) {
    if (!read_scalar(args[row.arrays + i], numbers[i])) return refuse();
  }
  return PyArray_TYPE(arrays[0]) == NPY_FLOAT32 ? run_arrays<float>(row, arrays, numbers)
                                                : run_arrays<double>(row, arrays, numbers);
}

template <class Op>
PyObject* call(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  return call_row(row_of<Op>, args, count, keywords);
}

// A Python int, or an int64 array of no dimensions.
bool read_whole(PyObject* object, uint64_t& value) {
  if (is_whole(object) && PyArray_NDIM(as_array(object)) == 0) {
    value = *data_of<uint64_t>(as_array(object));
    return true;
  }
  if (!PyLong_CheckExact(object)) return false;
  int overflow = 0;
  value = static_cast<uint64_t>(PyLong_AsLongLongAndOverflow(object, &overflow));
  return overflow == 0;
}

// each(element) of an int64 array without gaps.
template <class Each>
PyObject* run_whole(PyArrayObject* x, int64_t grain, const Each& each) {
  PyArrayObject* out = empty_like(x);
  if (out == nullptr) return nullptr;
  const int64_t size = PyArray_SIZE(x);
  return finish(out, size, [&] {
    const auto* from = data_of<uint64_t>(x);
    auto* to = data_of<uint64_t>(out);
    parallel_for(size, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) to[i] = each(from[i]);
    });
  });
}

// An int64 array without gaps and one number.
bool is_whole_and_number(PyObject* const* args, Py_ssize_t count, uint64_t& number) {
  return count == 2 && is_whole(args[0]) && gapless(as_array(args[0])) &&
         read_whole(args[1], number);
}

// Counters. Sums wrap around, as NumPy's do.
template <>
PyObject* call<elementwise_ops::add>(PyObject*, PyObject* const* args, Py_ssize_t count,
                                     PyObject* keywords) {
  uint64_t added;
  if (!is_whole_and_number(args, count, added)) {
    return call_row(row_of<elementwise_ops::add>, args, count, keywords);
  }
  return run_whole(as_array(args[0]), 1 << 16, [=](uint64_t x) { return x + added; });
}

// Whole numbers by one, rests of its sign; not by 0, of which the reference knows what to say.
template <>
PyObject* call<elementwise_ops::remainder>(PyObject*, PyObject* const* args, Py_ssize_t count,
                                           PyObject* keywords) {
  uint64_t divisor;
  if (!is_whole_and_number(args, count, divisor)) {
    return call_row(row_of<elementwise_ops::remainder>, args, count, keywords);
  }
  const auto by = static_cast<int64_t>(divisor);
  if (by == 0 || by == -1) return refuse();  // the smallest number by -1 is too large
  const double inverse = 1.0 / static_cast<double>(by);
  return run_whole(as_array(args[0]), 1 << 14, [=](uint64_t bits) {
    constexpr int64_t kPlain = int64_t{1} << 45;  // up to here the quotient is off by one at most
    const auto x = static_cast<int64_t>(bits);
    int64_t rest;
    if (-kPlain < x && x < kPlain) {
      rest = x - static_cast<int64_t>(static_cast<double>(x) * inverse) * by;
    } else {
      rest = x % by;
    }
    rest = rest != 0 && (rest < 0) != (by < 0) ? rest + by : rest;
    return static_cast<uint64_t>((by > 0 ? rest >= by : rest <= by) ? rest - by : rest);
  });
}

// Small whole exponents are products.
template <>
PyObject* call<elementwise_ops::pow>(PyObject* self, PyObject* const* args, Py_ssize_t count,
                                     PyObject* keywords) {
  double exponent;
  if (count == 2 && keywords == nullptr && read_scalar(args[1], exponent)) {
    if (exponent == 2) return call<elementwise_ops::square>(self, args, 1, nullptr);
    if (exponent == 3) return call<elementwise_ops::cube>(self, args, 1, nullptr);
    if (exponent == -1) return call<elementwise_ops::reciprocal>(self, args, 1, nullptr);
  }
  for (Py_ssize_t i = 0; i < count; ++i) {
    const bool doubles = is_real(args[i]) && PyArray_TYPE(as_array(args[i])) == NPY_FLOAT64;
    if (doubles && PyArray_SIZE(as_array(args[i])) > kLargestDoublePower) return refuse();
  }
  return call_row(row_of<elementwise_ops::pow>, args, count, keywords);
}

#define MINIDL_ROW(name, arrays, numbers, weight, text) \
  fast_method(#name, &call<elementwise_ops::name>, text),
PyMethodDef methods[] = {MINIDL_ELEMENTWISE_OPS(MINIDL_ROW)  //
                         MINIDL_ACTIVATIONS(MINIDL_ROW)      //
                         MINIDL_LOSSES(MINIDL_ROW)           //
                         {nullptr, nullptr, 0, nullptr}};
#undef MINIDL_ROW

}  // namespace

MINIDL_REGISTER(elementwise) {
  if (_import_array() < 0) throw pybind11::error_already_set();
  if (PyModule_AddFunctions(m.ptr(), methods) < 0) {
    throw pybind11::error_already_set();
  }
}

}  // namespace minidl::bindings::elementwise
