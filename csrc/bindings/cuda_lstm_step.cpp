#include "cuda/lstm_step.h"

#include "bindings/cuda_array.h"
#include "bindings/registry.h"

namespace minidl::bindings {
namespace {

using cuda::Array;
using Optional = std::optional<Array>;

const Array* pointer(const Optional& array) { return array ? &*array : nullptr; }

void lstm_step(const Array& from_input, const Array& from_hidden, const Optional& b_ih,
               const Optional& b_hh, const Array& c_before, const Array& gates, const Array& c,
               const Array& h, std::uintptr_t stream) {
  cuda::lstm_step({from_input, from_hidden, pointer(b_ih), pointer(b_hh), c_before, gates, c, h},
                  to_stream(stream));
}

void lstm_step_grad(const Optional& dh, const Optional& doutput, const Optional& dc,
                    const Array& gates, const Array& c, const Array& c_before, const Array& dz,
                    const Array& dc_before, std::uintptr_t stream) {
  cuda::lstm_step_grad(
      {pointer(dh), pointer(doutput), pointer(dc), gates, c, c_before, dz, dc_before},
      to_stream(stream));
}

}  // namespace
}  // namespace minidl::bindings

MINIDL_REGISTER(lstm_step) {
  namespace bindings = minidl::bindings;
  namespace py = pybind11;
  m.def("lstm_step", &bindings::lstm_step, "The products with the weights [N, 4 H] -> gates, c, h",
        py::arg("from_input"), py::arg("from_hidden"), py::arg("b_ih").none(true),
        py::arg("b_hh").none(true), py::arg("c_before"), py::arg("gates"), py::arg("c"),
        py::arg("h"), py::arg("stream"));
  m.def("lstm_step_grad", &bindings::lstm_step_grad,
        "Gradients of the state [N, H] -> dz [N, 4 H], dc_before", py::arg("dh").none(true),
        py::arg("doutput").none(true), py::arg("dc").none(true), py::arg("gates"), py::arg("c"),
        py::arg("c_before"), py::arg("dz"), py::arg("dc_before"), py::arg("stream"));
}
