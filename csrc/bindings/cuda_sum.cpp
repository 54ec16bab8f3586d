#include "cuda/sum.h"

#include "bindings/cuda_array.h"
#include "bindings/registry.h"

namespace minidl::bindings {
namespace {

void sum(const cuda::Array& input, const std::vector<std::int64_t>& dims, const cuda::Array& output,
         const std::optional<cuda::Array>& workspace, std::uintptr_t stream) {
  cuda::sum(input, dims, output, workspace ? &*workspace : nullptr, to_stream(stream));
}

}  // namespace
}  // namespace minidl::bindings

MINIDL_REGISTER(sum) {
  namespace py = pybind11;
  m.def("sum", &minidl::bindings::sum, "output = input summed over dims", py::arg("input"),
        py::arg("dims"), py::arg("output"), py::arg("workspace").none(true), py::arg("stream"));
  m.def("sum_workspace", &minidl::cuda::sum_workspace, "Elements of workspace that sum wants.",
        py::arg("input"), py::arg("dims"));
}
