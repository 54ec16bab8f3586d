#include "cuda/reduce.h"

#include "bindings/cuda_array.h"
#include "bindings/registry.h"

namespace minidl::bindings::reduce {
namespace {

template <cuda::Reduction reduction>
void reduce(const cuda::Array& input, const std::vector<std::int64_t>& dims,
            const cuda::Array& output, const std::optional<cuda::Array>& workspace,
            std::uintptr_t stream) {
  cuda::reduce(reduction, input, dims, output, workspace ? &*workspace : nullptr,
               to_stream(stream));
}

template <cuda::Reduction reduction>
void define(pybind11::module_& m, const char* name) {
  namespace py = pybind11;
  m.def(name, &reduce<reduction>, "output = input reduced over dims", py::arg("input"),
        py::arg("dims"), py::arg("output"), py::arg("workspace").none(true), py::arg("stream"));
}

}  // namespace

MINIDL_REGISTER(reduce) {
  using cuda::Reduction;
  define<Reduction::sum>(m, "sum");
  define<Reduction::sum_squares>(m, "sum_squares");
  define<Reduction::prod>(m, "prod");
  define<Reduction::amax>(m, "amax");
  define<Reduction::amin>(m, "amin");
  define<Reduction::argmax>(m, "argmax");
  define<Reduction::argmin>(m, "argmin");
  define<Reduction::any>(m, "any");
  define<Reduction::all>(m, "all");
  define<Reduction::count_nonzero>(m, "count_nonzero");
  define<Reduction::logsumexp>(m, "logsumexp");
  m.def("reduce_workspace", &cuda::reduce_workspace,
        "Elements (float64) of workspace that a reduction wants.", pybind11::arg("input"),
        pybind11::arg("dims"));
}

}  // namespace minidl::bindings::reduce
