// Weighted sums along an axis of NumPy arrays that the caller made: see csrc/cpu/resample.h and
// minidl/backends/native/resample.py.
#include "cpu/resample.h"

#include "bindings/array.h"
#include "bindings/registry.h"

namespace minidl::bindings::resample {
namespace {

using pybind11::array;

template <class T>
const T* data_of_kind(const char* name, const array& given) {
  MINIDL_CHECK(
      c_contiguous(given) && addressable(given) && given.dtype().equal(pybind11::dtype::of<T>()),
      "resample: ", name,
      " must be contiguous; starts and index int64, the others of the input's type");
  return static_cast<const T*>(given.data());
}

// The table of a call, checked: an index outside would be read.
template <class T>
cpu::ResampleProblem<T> problem(const array& input, int dim, const array& starts,
                                const array& index, const array& weight, const array& out) {
  MINIDL_CHECK(dim >= 0 && dim < input.ndim() && out.ndim() == input.ndim(), "resample: no axis ",
               dim);
  cpu::ResampleProblem<T> p{1,
                            input.shape(dim),
                            out.shape(dim),
                            1,
                            data_of_kind<int64_t>("starts", starts),
                            data_of_kind<int64_t>("index", index),
                            data_of_kind<T>("weight", weight)};
  for (pybind11::ssize_t axis = 0; axis < input.ndim(); ++axis) {
    if (axis == dim) continue;
    MINIDL_CHECK(input.shape(axis) == out.shape(axis), "resample: shapes do not fit at axis ",
                 axis);
    (axis < dim ? p.outer : p.inner) *= input.shape(axis);
  }
  MINIDL_CHECK(starts.size() == p.outputs + 1 && index.size() == weight.size() &&
                   p.starts[0] == 0 && p.starts[p.outputs] == index.size(),
               "resample: the table does not fit");
  for (int64_t i = 0; i < p.outputs; ++i) {
    MINIDL_CHECK(p.starts[i] <= p.starts[i + 1], "resample: the table is not in order");
  }
  for (int64_t t = 0; t < index.size(); ++t) {
    MINIDL_CHECK(p.index[t] >= 0 && p.index[t] < p.inputs, "resample: no input ", p.index[t]);
  }
  return p;
}

template <class T>
void run(const array& input, int dim, const array& starts, const array& index, const array& weight,
         array& out) {
  const auto p = problem<T>(input, dim, starts, index, weight, out);
  const T* from = data_of_kind<T>("input", input);
  data_of_kind<T>("out", out);
  T* to = static_cast<T*>(out.mutable_data());
  pybind11::gil_scoped_release release;
  cpu::resample_kernels<T>().resample(p, from, to);
}

void resample(const array& input, int dim, const array& starts, const array& index,
              const array& weight, array out) {
  const bool single = input.dtype().equal(pybind11::dtype::of<float>());
  (single ? run<float> : run<double>)(input, dim, starts, index, weight, out);
}

}  // namespace

MINIDL_REGISTER(resample) {
  m.def("resample", &resample,
        "out = sums of weight times input at index, between starts, along dim", py::arg("input"),
        py::arg("dim"), py::arg("starts"), py::arg("index"), py::arg("weight"), py::arg("out"));
}

}  // namespace minidl::bindings::resample
