#include "cuda/scan.h"

#include "bindings/cuda_array.h"
#include "bindings/registry.h"

namespace minidl::bindings::scan {
namespace {

template <cuda::Scan kind>
void scan(const cuda::Array& input, std::int64_t dim, const cuda::Array& output,
          const std::optional<cuda::Array>& places, const std::optional<cuda::Array>& workspace,
          std::uintptr_t stream) {
  cuda::scan(kind, input, dim, output, places ? &*places : nullptr,
             workspace ? &*workspace : nullptr, to_stream(stream));
}

template <cuda::Scan kind>
void define_scan(pybind11::module_& m, const char* name) {
  namespace py = pybind11;
  m.def(name, &scan<kind>, "output = input scanned along dim", py::arg("input"), py::arg("dim"),
        py::arg("output"), py::arg("places").none(true), py::arg("workspace").none(true),
        py::arg("stream"));
}

}  // namespace

MINIDL_REGISTER(scan) {
  using cuda::Scan;
  define_scan<Scan::sum>(m, "cumsum");
  define_scan<Scan::prod>(m, "cumprod");
  define_scan<Scan::max>(m, "cummax");
  define_scan<Scan::min>(m, "cummin");
  define_scan<Scan::logsumexp>(m, "logcumsumexp");
  m.def("scan_workspace", &cuda::scan_workspace,
        "Elements (float64) of workspace that a scan wants.", pybind11::arg("input"),
        pybind11::arg("dim"));
}

}  // namespace minidl::bindings::scan
