// Scaled dot-product attention on NumPy arrays that the caller made: see csrc/cpu/attention.h and
// minidl/backends/native/attention.py.
#include "cpu/attention.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "bindings/array.h"
#include "bindings/registry.h"
#include "cpu/attention_select.h"

namespace minidl::bindings::attention {
namespace {

using pybind11::array;
using Shape = std::vector<int64_t>;

std::string shown(const array& given) {
  return pybind11::str(given.attr("shape")).cast<std::string>();
}

// The arrays of one call, of one dtype T.
template <class T>
class Call {
 public:
  cpu::AttentionProblem<T> problem;

  Call(const array& query, const array& key, const array& value, const pybind11::object& bias,
       bool causal, double scale) {
    const auto rank = query.ndim() - 2;
    MINIDL_CHECK(
        rank >= 0 && rank <= kMaxRank && key.ndim() == rank + 2 && value.ndim() == rank + 2,
        "attention: query, key and value need the same number of axes, two or more");
    lead_.assign(query.shape(), query.shape() + rank);
    problem = {query.shape(rank),     key.shape(rank), query.shape(rank + 1),
               value.shape(rank + 1), causal,          static_cast<T>(scale),
               static_cast<int>(rank)};
    std::copy(lead_.begin(), lead_.end(), problem.lead.begin());
    problem.query = read("query", query, queries(), problem.width);
    problem.key = read("key", key, problem.keys, problem.width);
    problem.value = read("value", value, problem.keys, problem.value_width);
    if (!bias.is_none()) {
      problem.bias = read("bias", pybind11::cast<array>(bias), queries(), problem.keys);
    }
  }

  int64_t queries() const { return problem.queries; }
  bool empty() const { return std::find(lead_.begin(), lead_.end(), 0) != lead_.end(); }

  cpu::Heads<const T> read(const char* name, const array& given, int64_t rows, int64_t cols) const {
    return heads<const T>(name, given, static_cast<const T*>(given.data()), rows, cols);
  }
  // A result: rows without gaps.
  cpu::Heads<T> written(const char* name, array given, int64_t rows, int64_t cols) const {
    auto found = heads<T>(name, given, static_cast<T*>(given.mutable_data()), rows, cols);
    MINIDL_CHECK(cols <= 1 || given.size() == 0 || found.col == 1, "attention: the rows of ", name,
                 " must have no gaps");
    return found;
  }
  cpu::Heads<T> wanted(const char* name, const pybind11::object& given, int64_t rows,
                       int64_t cols) const {
    return given.is_none() ? cpu::Heads<T>{}
                           : written(name, pybind11::cast<array>(given), rows, cols);
  }
  // A logarithm a query, without gaps: a result, or what the forward pass saved.
  T* sums(array given) const {
    read_sums(given);
    return static_cast<T*>(given.mutable_data());
  }
  const T* read_sums(const array& given) const {
    Shape expected = lead_;
    expected.push_back(queries());
    check("lse", given, expected);
    MINIDL_CHECK(c_contiguous(given), "attention: lse must be contiguous");
    return static_cast<const T*>(given.data());
  }

 private:
  void check(const char* name, const array& given, const Shape& expected) const {
    MINIDL_CHECK(given.dtype().equal(pybind11::dtype::of<T>()) && addressable(given),
                 "attention: ", name, " must be aligned and of the query's dtype");
    MINIDL_CHECK(Shape(given.shape(), given.shape() + given.ndim()) == expected,
                 "attention: ", name, " does not fit: got ", shown(given));
  }
  template <class U>
  cpu::Heads<U> heads(const char* name, const array& given, U* data, int64_t rows,
                      int64_t cols) const {
    Shape expected = lead_;
    expected.insert(expected.end(), {rows, cols});
    check(name, given, expected);
    const auto stride = [&](size_t axis) {
      return given.strides(static_cast<pybind11::ssize_t>(axis)) / static_cast<int64_t>(sizeof(T));
    };
    cpu::Heads<U> found{data, stride(lead_.size()), stride(lead_.size() + 1)};
    for (size_t axis = 0; axis < lead_.size(); ++axis) found.lead[axis] = stride(axis);
    return found;
  }

  Shape lead_;
};

// body(T) for the query's dtype; NotImplemented for one that is not float32 or float64.
template <class Body>
pybind11::object for_dtype(const array& query, const Body& body) {
  const auto dtype = dtype_of(query);
  if (dtype == DType::float32) {
    body(float{});
  } else if (dtype == DType::float64) {
    body(double{});
  } else {
    return pybind11::reinterpret_borrow<pybind11::object>(Py_NotImplemented);
  }
  return pybind11::none();
}

pybind11::object attention(const array& query, const array& key, const array& value,
                           const pybind11::object& bias, bool causal, double scale,
                           const array& out, const array& lse) {
  return for_dtype(query, [&](auto zero) {
    using T = decltype(zero);
    const Call<T> call(query, key, value, bias, causal, scale);
    const cpu::AttentionResult<T> result{
        call.written("out", out, call.queries(), call.problem.value_width), call.sums(lse)};
    if (call.empty()) return;
    pybind11::gil_scoped_release release;
    cpu::attention(call.problem, result);
  });
}

pybind11::object attention_backward(const array& query, const array& key, const array& value,
                                    const pybind11::object& bias, bool causal, double scale,
                                    const array& grad, const array& out, const array& lse,
                                    const pybind11::object& dquery, const pybind11::object& dkey,
                                    const pybind11::object& dvalue) {
  return for_dtype(query, [&](auto zero) {
    using T = decltype(zero);
    const Call<T> call(query, key, value, bias, causal, scale);
    const auto& p = call.problem;
    const cpu::AttentionSaved<T> saved{call.read("grad", grad, p.queries, p.value_width),
                                       call.read("out", out, p.queries, p.value_width),
                                       call.read_sums(lse)};
    const cpu::AttentionGrads<T> grads{call.wanted("dquery", dquery, p.queries, p.width),
                                       call.wanted("dkey", dkey, p.keys, p.width),
                                       call.wanted("dvalue", dvalue, p.keys, p.value_width)};
    if (call.empty()) return;
    pybind11::gil_scoped_release release;
    cpu::attention_backward(p, saved, grads);
  });
}

// What cpu/attention_select.h chooses: (heads a task, queries a task).
std::pair<int64_t, int64_t> attention_plan(int64_t heads, int64_t queries, int64_t work,
                                           int threads, bool backward) {
  MINIDL_CHECK(heads >= 1 && queries >= 0 && work >= 0 && threads >= 1,
               "attention_plan: needs heads and threads of at least 1");
  const auto [grain, rows] = (backward ? cpu::select_attention_backward : cpu::select_attention)(
      heads, queries, work, threads);
  return {grain, rows};
}

}  // namespace

MINIDL_REGISTER(attention) {
  m.def("attention_plan", &attention_plan, "Heads and queries a task: (grain, rows), one of them 0",
        py::arg("heads"), py::arg("queries"), py::arg("work"), py::arg("threads"),
        py::arg("backward"));
  m.def("attention", &attention, "softmax(scale query key^T + bias) value -> out, lse",
        py::arg("query"), py::arg("key"), py::arg("value"), py::arg("bias").none(true),
        py::arg("causal"), py::arg("scale"), py::arg("out"), py::arg("lse"));
  m.def("attention_backward", &attention_backward, "Gradients of query, key and value, or None",
        py::arg("query"), py::arg("key"), py::arg("value"), py::arg("bias").none(true),
        py::arg("causal"), py::arg("scale"), py::arg("grad"), py::arg("out"), py::arg("lse"),
        py::arg("dquery").none(true), py::arg("dkey").none(true), py::arg("dvalue").none(true));
}

}  // namespace minidl::bindings::attention
