#include "cuda/attention.h"

#include "bindings/cuda_array.h"
#include "bindings/registry.h"

namespace minidl::bindings::attention {
namespace {

using cuda::Array;
using Optional = std::optional<Array>;

const Array* pointer(const Optional& array) { return array ? &*array : nullptr; }

void attention(const Array& query, const Array& key, const Array& value, const Optional& bias,
               bool causal, double scale, const Array& out, const Array& lse,
               std::uintptr_t stream) {
  cuda::attention({query, key, value, pointer(bias), causal, scale}, out, lse, to_stream(stream));
}

void attention_backward(const Array& query, const Array& key, const Array& value,
                        const Optional& bias, bool causal, double scale, const Array& g,
                        const Array& out, const Array& lse, const Array& delta,
                        const Optional& dquery, const Optional& dkey, const Optional& dvalue,
                        std::uintptr_t stream) {
  cuda::attention_backward({query, key, value, pointer(bias), causal, scale},
                           {g, out, lse, delta, pointer(dquery), pointer(dkey), pointer(dvalue)},
                           to_stream(stream));
}

}  // namespace

MINIDL_REGISTER(attention) {
  m.def("attention", &attention, "softmax(scale query key^T + bias) value -> out, lse",
        py::arg("query"), py::arg("key"), py::arg("value"), py::arg("bias").none(true),
        py::arg("causal"), py::arg("scale"), py::arg("out"), py::arg("lse"), py::arg("stream"));
  m.def("attention_backward", &attention_backward,
        "Gradients of query, key and value; delta is workspace", py::arg("query"), py::arg("key"),
        py::arg("value"), py::arg("bias").none(true), py::arg("causal"), py::arg("scale"),
        py::arg("g"), py::arg("out"), py::arg("lse"), py::arg("delta"),
        py::arg("dquery").none(true), py::arg("dkey").none(true), py::arg("dvalue").none(true),
        py::arg("stream"));
}

}  // namespace minidl::bindings::attention
