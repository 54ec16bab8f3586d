// Recurrent sequences on NumPy arrays. Arguments, results and their order are those of
// minidl/backends/reference/recurrent.py; arrays that are not contiguous are copied first.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "bindings/array.h"
#include "bindings/output.h"
#include "bindings/registry.h"
#include "bindings/translate.h"
#include "cpu/recurrent.h"
#include "cpu/recurrent_steps.h"

namespace minidl::bindings::recurrent {
namespace {

using cpu::Nonlinearity;
using cpu::RecurrentGrads;
using cpu::RecurrentShape;
using cpu::RecurrentUpstream;
using cpu::RecurrentWeights;
using Shape = std::vector<py::ssize_t>;

// Thrown on arguments that reference takes and these kernels do not: mixed or other dtypes.
struct Refused {};

enum class Presence { kRequired, kOptional };
constexpr Presence kOptional = Presence::kOptional;

// An argument: an array of T and of one shape, or None where it is optional (then a null pointer).
// Keeps the array (or its copy) alive.
template <class T>
class Input {
 public:
  Input(const char* name, const py::object& value, const Shape& shape,
        Presence presence = Presence::kRequired) {
    if (value.is_none() && presence == kOptional) return;
    if (!py::isinstance<py::array>(value)) throw Refused{};
    const auto given = py::reinterpret_borrow<py::array>(value);
    if (!given.dtype().equal(py::dtype::of<T>())) throw Refused{};
    MINIDL_CHECK(Shape(given.shape(), given.shape() + given.ndim()) == shape, name,
                 " must have shape ", py::str(py::tuple(py::cast(shape))).cast<std::string>(),
                 ", got ", py::str(given.attr("shape")).cast<std::string>());
    array_ = Packed::ensure(given);
    if (!array_) throw py::error_already_set();
  }

  const T* data() const { return array_ ? array_->data() : nullptr; }

 private:
  static constexpr int kFlags =
      int{py::array::c_style} | int{py::detail::npy_api::NPY_ARRAY_ALIGNED_};
  using Packed = py::array_t<T, kFlags>;
  std::optional<Packed> array_;
};

// A result: an array to be filled, or None where it is not wanted.
template <class T>
class Output {
 public:
  explicit Output(const Shape& shape, bool wanted = true) {
    if (wanted) array_ = empty<T>(shape);
  }
  T* data() { return array_ ? array_->mutable_data() : nullptr; }
  py::object value() const { return array_ ? py::object(*array_) : py::none(); }

 private:
  std::optional<py::array_t<T, py::array::c_style>> array_;
};

RecurrentShape shape_of(const py::array& input, const py::array& h0, bool reverse) {
  if (input.ndim() != 3 || h0.ndim() != 2) throw Refused{};
  MINIDL_CHECK(input.shape(0) > 0, "Expected sequence length to be larger than 0 in RNN");
  const int64_t state = h0.shape(1);
  return {input.shape(0), input.shape(1), input.shape(2), state, state, reverse};
}

// As shape_of, for states of another size than the cells (an LSTM's projection).
RecurrentShape lstm_shape_of(const py::array& input, const py::array& h0, const py::array& c0,
                             bool projected, bool reverse) {
  RecurrentShape shape = shape_of(input, h0, reverse);
  if (c0.ndim() != 2) throw Refused{};
  shape.hidden = c0.shape(1);
  MINIDL_CHECK(projected || shape.state == shape.hidden, "h0 has ", shape.state,
               " features and c0 has ", shape.hidden, "; without w_hr they must be equal");
  return shape;
}

Nonlinearity nonlinearity_of(const std::string& name) {
  MINIDL_CHECK(name == "tanh" || name == "relu", "Unknown nonlinearity '", name, "'");
  return name == "tanh" ? Nonlinearity::kTanh : Nonlinearity::kRelu;
}

template <class Body>
py::object for_dtype_of(const py::array& array, Body&& body) {
  const auto dtype = dtype_of(array);
  if (dtype != DType::float32 && dtype != DType::float64) return not_implemented();
  try {
    return dispatch_real(*dtype, std::forward<Body>(body));
  } catch (const Refused&) {
    return not_implemented();
  }
}

// The shapes of one layer's arrays, G gates.
struct Shapes {
  Shape input, state, cell, output, cells, gates, w_ih, w_hh, bias, w_hr;

  Shapes(const RecurrentShape& s, int64_t G)
      : input{s.steps, s.batch, s.input},
        state{s.batch, s.state},
        cell{s.batch, s.hidden},
        output{s.steps, s.batch, s.state},
        cells{s.steps, s.batch, s.hidden},
        gates{s.steps, s.batch, G * s.hidden},
        w_ih{G * s.hidden, s.input},
        w_hh{G * s.hidden, s.state},
        bias{G * s.hidden},
        w_hr{s.state, s.hidden} {}
};

template <class T>
struct Layer {
  RecurrentShape shape;
  Shapes shapes;
  Input<T> input, h0, w_ih, w_hh, b_ih, b_hh, w_hr;

  Layer(const RecurrentShape& shape, int64_t G, const py::object& input, const py::object& h0,
        const py::object& w_ih, const py::object& w_hh, const py::object& b_ih = py::none(),
        const py::object& b_hh = py::none(), const py::object& w_hr = py::none())
      : shape(shape),
        shapes(shape, G),
        input("input", input, shapes.input),
        h0("h0", h0, shapes.state),
        w_ih("w_ih", w_ih, shapes.w_ih),
        w_hh("w_hh", w_hh, shapes.w_hh),
        b_ih("b_ih", b_ih, shapes.bias, kOptional),
        b_hh("b_hh", b_hh, shapes.bias, kOptional),
        w_hr("w_hr", w_hr, shapes.w_hr, kOptional) {}

  RecurrentWeights<T> weights() const {
    return {w_ih.data(), w_hh.data(), b_ih.data(), b_hh.data(), w_hr.data()};
  }

  // A copy of `states` [T, *each] after the last step that was computed.
  py::array last(Output<T>& states, const Shape& each) const {
    auto result = empty<T>(each);
    const int64_t count = result.size();
    std::copy_n(states.data() + shape.step(shape.steps - 1) * count, count, result.mutable_data());
    return result;
  }
};

// Gradients in the order (input, h0, w_ih, w_hh, b_ih, b_hh), or with two states (input, h0, c0,
// w_ih, w_hh, b_ih, b_hh, w_hr), as `needs` is.
template <class T>
struct Grads {
  std::vector<bool> needs;
  size_t states;
  Output<T> input, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr;

  Grads(const Shapes& shapes, const std::vector<bool>& needs_, size_t states_,
        bool projected = false)
      : needs(checked(needs_, states_)),
        states(states_),
        input(shapes.input, needs[0]),
        h0(shapes.state),
        c0(shapes.cell, states == 2),
        w_ih(shapes.w_ih, needs[1 + states]),
        w_hh(shapes.w_hh, needs[2 + states]),
        b_ih(shapes.bias, needs[3 + states]),
        b_hh(shapes.bias, needs[4 + states]),
        w_hr(shapes.w_hr, projected && needs[5 + states]) {}

  RecurrentGrads<T> pointers() {
    return {input.data(), h0.data(),   c0.data(),   w_ih.data(),
            w_hh.data(),  b_ih.data(), b_hh.data(), w_hr.data()};
  }

  py::list list() const {
    py::list result;
    result.append(input.value());
    result.append(needs[1] ? h0.value() : py::none());
    if (states == 2) result.append(needs[2] ? c0.value() : py::none());
    for (const auto* grad : {&w_ih, &w_hh, &b_ih, &b_hh}) result.append(grad->value());
    if (states == 2) result.append(w_hr.value());
    return result;
  }

 private:
  static const std::vector<bool>& checked(const std::vector<bool>& needs, size_t states) {
    const size_t count = states == 2 ? 8 : 6;
    MINIDL_CHECK(needs.size() == count, "needs must have ", count, " entries, got ", needs.size());
    return needs;
  }
};

py::object rnn_sequence(const py::array& input, const py::array& h0, const py::object& w_ih,
                        const py::object& w_hh, const py::object& b_ih, const py::object& b_hh,
                        const std::string& nonlinearity, bool reverse) {
  return for_dtype_of(input, [&](auto type) -> py::object {
    using T = typename decltype(type)::type;
    const Layer<T> layer(shape_of(input, h0, reverse), 1, input, h0, w_ih, w_hh, b_ih, b_hh);
    const Nonlinearity kind = nonlinearity_of(nonlinearity);
    Output<T> output(layer.shapes.output);
    T* const out = output.data();
    {
      py::gil_scoped_release release;
      cpu::rnn_forward(layer.shape, kind, layer.input.data(), layer.h0.data(), layer.weights(),
                       out);
    }
    return py::make_tuple(output.value(), layer.last(output, layer.shapes.state));
  });
}

py::object rnn_sequence_grad(const py::object& doutput, const py::object& dh_n,
                             const py::array& input, const py::array& h0, const py::object& w_ih,
                             const py::object& w_hh, const py::object& output,
                             const std::string& nonlinearity, bool reverse,
                             const std::vector<bool>& needs) {
  return for_dtype_of(input, [&](auto type) -> py::object {
    using T = typename decltype(type)::type;
    const Layer<T> layer(shape_of(input, h0, reverse), 1, input, h0, w_ih, w_hh);
    const Nonlinearity kind = nonlinearity_of(nonlinearity);
    const Input<T> d_output("doutput", doutput, layer.shapes.output, kOptional);
    const Input<T> d_h("dh_n", dh_n, layer.shapes.state, kOptional);
    const Input<T> states("output", output, layer.shapes.output);
    Grads<T> grads(layer.shapes, needs, 1);
    const RecurrentGrads<T> pointers = grads.pointers();
    {
      py::gil_scoped_release release;
      cpu::rnn_backward(layer.shape, kind, {d_output.data(), d_h.data(), nullptr},
                        layer.input.data(), layer.h0.data(), layer.weights(), states.data(),
                        pointers);
    }
    return py::tuple(grads.list());
  });
}

py::object lstm_sequence(const py::array& input, const py::array& h0, const py::array& c0,
                         const py::object& w_ih, const py::object& w_hh, const py::object& b_ih,
                         const py::object& b_hh, const py::object& w_hr, bool reverse) {
  return for_dtype_of(input, [&](auto type) -> py::object {
    using T = typename decltype(type)::type;
    const Layer<T> layer(lstm_shape_of(input, h0, c0, !w_hr.is_none(), reverse), 4, input, h0, w_ih,
                         w_hh, b_ih, b_hh, w_hr);
    const Input<T> c_first("c0", c0, layer.shapes.cell);
    Output<T> output(layer.shapes.output), gates(layer.shapes.gates), cells(layer.shapes.cells);
    T *const out = output.data(), *const gates_out = gates.data(), *const cells_out = cells.data();
    {
      py::gil_scoped_release release;
      cpu::lstm_forward(layer.shape, layer.input.data(), layer.h0.data(), c_first.data(),
                        layer.weights(), out, gates_out, cells_out);
    }
    return py::make_tuple(output.value(), layer.last(output, layer.shapes.state),
                          layer.last(cells, layer.shapes.cell), gates.value(), cells.value());
  });
}

py::object lstm_sequence_grad(const py::object& doutput, const py::object& dh_n,
                              const py::object& dc_n, const py::array& input, const py::array& h0,
                              const py::array& c0, const py::object& w_ih, const py::object& w_hh,
                              const py::object& w_hr, const py::object& output,
                              const py::object& gates, const py::object& cells, bool reverse,
                              const std::vector<bool>& needs) {
  return for_dtype_of(input, [&](auto type) -> py::object {
    using T = typename decltype(type)::type;
    const Layer<T> layer(lstm_shape_of(input, h0, c0, !w_hr.is_none(), reverse), 4, input, h0, w_ih,
                         w_hh, py::none(), py::none(), w_hr);
    const Shapes& shapes = layer.shapes;
    const Input<T> c_first("c0", c0, shapes.cell),
        d_output("doutput", doutput, shapes.output, kOptional),
        d_h("dh_n", dh_n, shapes.state, kOptional), d_c("dc_n", dc_n, shapes.cell, kOptional),
        states("output", output, shapes.output), gates_in("gates", gates, shapes.gates),
        cells_in("cells", cells, shapes.cells);
    Grads<T> grads(shapes, needs, 2, !w_hr.is_none());
    const RecurrentGrads<T> pointers = grads.pointers();
    {
      py::gil_scoped_release release;
      cpu::lstm_backward(layer.shape, {d_output.data(), d_h.data(), d_c.data()}, layer.input.data(),
                         layer.h0.data(), c_first.data(), layer.weights(), states.data(),
                         gates_in.data(), cells_in.data(), pointers);
    }
    return py::tuple(grads.list());
  });
}

py::object gru_sequence(const py::array& input, const py::array& h0, const py::object& w_ih,
                        const py::object& w_hh, const py::object& b_ih, const py::object& b_hh,
                        bool reverse) {
  return for_dtype_of(input, [&](auto type) -> py::object {
    using T = typename decltype(type)::type;
    const Layer<T> layer(shape_of(input, h0, reverse), 3, input, h0, w_ih, w_hh, b_ih, b_hh);
    Output<T> output(layer.shapes.output), gates(layer.shapes.gates), hidden_n(layer.shapes.output);
    T *const out = output.data(), *const gates_out = gates.data(), *const n_out = hidden_n.data();
    {
      py::gil_scoped_release release;
      cpu::gru_forward(layer.shape, layer.input.data(), layer.h0.data(), layer.weights(), out,
                       gates_out, n_out);
    }
    return py::make_tuple(output.value(), layer.last(output, layer.shapes.state), gates.value(),
                          hidden_n.value());
  });
}

py::object gru_sequence_grad(const py::object& doutput, const py::object& dh_n,
                             const py::array& input, const py::array& h0, const py::object& w_ih,
                             const py::object& w_hh, const py::object& output,
                             const py::object& gates, const py::object& hidden_n, bool reverse,
                             const std::vector<bool>& needs) {
  return for_dtype_of(input, [&](auto type) -> py::object {
    using T = typename decltype(type)::type;
    const Layer<T> layer(shape_of(input, h0, reverse), 3, input, h0, w_ih, w_hh);
    const Shapes& shapes = layer.shapes;
    const Input<T> d_output("doutput", doutput, shapes.output, kOptional),
        d_h("dh_n", dh_n, shapes.state, kOptional), states("output", output, shapes.output),
        gates_in("gates", gates, shapes.gates), n_in("hidden_n", hidden_n, shapes.output);
    Grads<T> grads(shapes, needs, 1);
    const RecurrentGrads<T> pointers = grads.pointers();
    {
      py::gil_scoped_release release;
      cpu::gru_backward(layer.shape, {d_output.data(), d_h.data(), nullptr}, layer.input.data(),
                        layer.h0.data(), layer.weights(), states.data(), gates_in.data(),
                        n_in.data(), pointers);
    }
    return py::tuple(grads.list());
  });
}

// How threads share the steps of a layer: "alone", "columns" or "rows".
const char* recurrent_sharing(int64_t steps, int64_t batch, int64_t input, int64_t hidden,
                              int64_t state, int64_t gates) {
  switch (cpu::sharing_of({steps, batch, input, hidden, state, false}, gates)) {
    case cpu::Sharing::columns:
      return "columns";
    case cpu::Sharing::rows:
      return "rows";
    default:
      return "alone";
  }
}

}  // namespace

MINIDL_REGISTER(recurrent) {
  m.def("recurrent_sharing", &recurrent_sharing);
  m.def("rnn_sequence", &rnn_sequence);
  m.def("rnn_sequence_grad", &rnn_sequence_grad);
  m.def("lstm_sequence", &lstm_sequence);
  m.def("lstm_sequence_grad", &lstm_sequence_grad);
  m.def("gru_sequence", &gru_sequence);
  m.def("gru_sequence_grad", &gru_sequence_grad);
}

}  // namespace minidl::bindings::recurrent
