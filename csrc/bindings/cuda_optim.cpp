// Optimizer steps. `tensors`, `options`, `clocks` are addresses in device memory: see cuda/optim.h.
#include "cuda/optim.h"

#include "bindings/cuda_array.h"
#include "bindings/registry.h"

namespace minidl::bindings::optim {
namespace {

cuda::OptimTable to_table(std::uintptr_t tensors, std::int64_t count, std::int64_t chunks,
                          std::uintptr_t options) {
  return {reinterpret_cast<const cuda::OptimTensor*>(tensors), count, chunks,
          reinterpret_cast<const double*>(options)};
}

void sgd_step(std::string_view dtype, std::uintptr_t tensors, std::int64_t count,
              std::int64_t chunks, std::uintptr_t options, bool nesterov, bool maximize,
              std::uintptr_t stream) {
  cuda::sgd_step(dtype_of(dtype), to_table(tensors, count, chunks, options), nesterov, maximize,
                 to_stream(stream));
}

void adam_step(std::string_view dtype, std::uintptr_t tensors, std::int64_t count,
               std::int64_t chunks, std::uintptr_t options, std::uintptr_t clocks, bool decoupled,
               bool maximize, std::uintptr_t stream) {
  cuda::adam_step(dtype_of(dtype), to_table(tensors, count, chunks, options),
                  reinterpret_cast<double*>(clocks), decoupled, maximize, to_stream(stream));
}

}  // namespace

MINIDL_REGISTER(optim) {
  m.attr("optim_chunk") = cuda::optim_chunk;
  m.def("sgd_step", &sgd_step, "One step of gradient descent", py::arg("dtype"), py::arg("tensors"),
        py::arg("count"), py::arg("chunks"), py::arg("options"), py::arg("nesterov"),
        py::arg("maximize"), py::arg("stream"));
  m.def("adam_step", &adam_step, "One step of Adam", py::arg("dtype"), py::arg("tensors"),
        py::arg("count"), py::arg("chunks"), py::arg("options"), py::arg("clocks"),
        py::arg("decoupled"), py::arg("maximize"), py::arg("stream"));
}

}  // namespace minidl::bindings::optim
