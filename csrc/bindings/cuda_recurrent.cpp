#include "cuda/recurrent.h"

#include "bindings/cuda_array.h"
#include "bindings/registry.h"

namespace minidl::bindings::recurrent {
namespace {

using cuda::Array;
using Optional = std::optional<Array>;

const Array* pointer(const Optional& array) { return array ? &*array : nullptr; }

void rnn_sequence(const Array& w_hh, const Optional& b_hh, const Array& h0, const Array& output,
                  bool relu, bool reverse, bool tf32, const Optional& workspace,
                  std::uintptr_t stream) {
  cuda::rnn_sequence({w_hh, pointer(b_hh), h0, output, relu, {reverse, tf32, pointer(workspace)}},
                     to_stream(stream));
}

void rnn_sequence_grad(const Array& w_hh, const Optional& doutput, const Optional& dh_n,
                       const Array& output, const Array& dz, const Array& dh0, bool relu,
                       bool reverse, bool tf32, const Optional& workspace, std::uintptr_t stream) {
  cuda::rnn_sequence_grad({w_hh,
                           pointer(doutput),
                           pointer(dh_n),
                           output,
                           dz,
                           dh0,
                           relu,
                           {reverse, tf32, pointer(workspace)}},
                          to_stream(stream));
}

void lstm_sequence(const Array& w_hh, const Optional& b_hh, const Array& h0, const Array& c0,
                   const Array& gates, const Array& cells, const Array& output, bool reverse,
                   bool tf32, const Optional& workspace, std::uintptr_t stream) {
  cuda::lstm_sequence(
      {w_hh, pointer(b_hh), h0, c0, gates, cells, output, {reverse, tf32, pointer(workspace)}},
      to_stream(stream));
}

void lstm_sequence_grad(const Array& w_hh, const Optional& doutput, const Optional& dh_n,
                        const Optional& dc_n, const Array& c0, const Array& gates,
                        const Array& cells, const Array& dz, const Array& dh0, const Array& dc0,
                        bool reverse, bool tf32, const Optional& workspace, std::uintptr_t stream) {
  cuda::lstm_sequence_grad({w_hh,
                            pointer(doutput),
                            pointer(dh_n),
                            pointer(dc_n),
                            c0,
                            gates,
                            cells,
                            dz,
                            dh0,
                            dc0,
                            {reverse, tf32, pointer(workspace)}},
                           to_stream(stream));
}

void gru_sequence(const Array& w_hh, const Optional& b_hh, const Array& h0, const Array& gates,
                  const Array& hidden_n, const Array& output, const Array& from_hidden,
                  bool reverse, bool tf32, const Optional& workspace, std::uintptr_t stream) {
  cuda::gru_sequence({w_hh,
                      pointer(b_hh),
                      h0,
                      gates,
                      hidden_n,
                      output,
                      from_hidden,
                      {reverse, tf32, pointer(workspace)}},
                     to_stream(stream));
}

void gru_sequence_grad(const Array& w_hh, const Optional& doutput, const Optional& dh_n,
                       const Array& h0, const Array& output, const Array& gates,
                       const Array& hidden_n, const Array& dz_input, const Array& dz_hidden,
                       const Array& dh0, bool reverse, bool tf32, const Optional& workspace,
                       std::uintptr_t stream) {
  cuda::gru_sequence_grad({w_hh,
                           pointer(doutput),
                           pointer(dh_n),
                           h0,
                           output,
                           gates,
                           hidden_n,
                           dz_input,
                           dz_hidden,
                           dh0,
                           {reverse, tf32, pointer(workspace)}},
                          to_stream(stream));
}

}  // namespace

MINIDL_REGISTER(recurrent) {
  using pybind11::arg;
  const auto absent = [](const char* name) { return arg(name).none(true); };
  m.def("rnn_sequence", &rnn_sequence,
        "output [T, N, H]: W_ih x + b_ih -> the states; see cuda/recurrent.h", arg("w_hh"),
        absent("b_hh"), arg("h0"), arg("output"), arg("relu"), arg("reverse"), arg("tf32"),
        absent("workspace"), arg("stream"));
  m.def("rnn_sequence_grad", &rnn_sequence_grad, "Gradients -> dz [T, N, H], dh0", arg("w_hh"),
        absent("doutput"), absent("dh_n"), arg("output"), arg("dz"), arg("dh0"), arg("relu"),
        arg("reverse"), arg("tf32"), absent("workspace"), arg("stream"));
  m.def("lstm_sequence", &lstm_sequence,
        "gates [T, N, 4 H]: W_ih x + b_ih -> the gates; cells, output", arg("w_hh"), absent("b_hh"),
        arg("h0"), arg("c0"), arg("gates"), arg("cells"), arg("output"), arg("reverse"),
        arg("tf32"), absent("workspace"), arg("stream"));
  m.def("lstm_sequence_grad", &lstm_sequence_grad, "Gradients -> dz [T, N, 4 H], dh0, dc0",
        arg("w_hh"), absent("doutput"), absent("dh_n"), absent("dc_n"), arg("c0"), arg("gates"),
        arg("cells"), arg("dz"), arg("dh0"), arg("dc0"), arg("reverse"), arg("tf32"),
        absent("workspace"), arg("stream"));
  m.def("gru_sequence", &gru_sequence,
        "gates [T, N, 3 H]: W_ih x + b_ih -> the gates; hidden_n, output", arg("w_hh"),
        absent("b_hh"), arg("h0"), arg("gates"), arg("hidden_n"), arg("output"), arg("from_hidden"),
        arg("reverse"), arg("tf32"), absent("workspace"), arg("stream"));
  m.def("gru_sequence_grad", &gru_sequence_grad,
        "Gradients -> dz_input and dz_hidden [T, N, 3 H], dh0", arg("w_hh"), absent("doutput"),
        absent("dh_n"), arg("h0"), arg("output"), arg("gates"), arg("hidden_n"), arg("dz_input"),
        arg("dz_hidden"), arg("dh0"), arg("reverse"), arg("tf32"), absent("workspace"),
        arg("stream"));
}

}  // namespace minidl::bindings::recurrent
