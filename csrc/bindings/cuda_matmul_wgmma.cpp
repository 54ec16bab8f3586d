#include "bindings/cuda_array.h"
#include "bindings/registry.h"
#include "cuda/matmul_wgmma.h"

namespace minidl::bindings::matmul_wgmma {
namespace {

// Whether the product was computed: false, with nothing done, for what the kernel does not take.
bool matmul_wgmma(const cuda::Array& a, const cuda::Array& b, const cuda::Array& out,
                  std::uintptr_t stream) {
  if (!cuda::takes_matmul_wgmma(a, b, out)) return false;
  cuda::matmul_wgmma(a, b, out, nullptr, cuda::matmul_wgmma_config(out), to_stream(stream));
  return true;
}

}  // namespace

MINIDL_REGISTER(matmul_wgmma) {
  m.def("matmul_wgmma", &matmul_wgmma,
        "out[..., m, n] = sum over k of a[..., m, k] b[..., k, n] of 16-bit floats on Hopper's "
        "tensor cores; False where the kernel does not take the arrays.",
        py::arg("a"), py::arg("b"), py::arg("out"), py::arg("stream"));
}

}  // namespace minidl::bindings::matmul_wgmma
