#include "bindings/cuda_array.h"
#include "bindings/registry.h"
#include "cuda/norm_rows.h"

namespace minidl::bindings::norm_rows {
namespace {

using cuda::Array;
using Optional = std::optional<Array>;

const Array* pointer(const Optional& array) { return array ? &*array : nullptr; }

void norm_rows(const Array& x, const Optional& weight, const Optional& bias, double eps,
               const Array& y, const Optional& mean, const Array& inv_std, std::uintptr_t stream) {
  cuda::norm_rows(x, pointer(weight), pointer(bias), eps, y, pointer(mean), inv_std,
                  to_stream(stream));
}

void norm_rows_backward(const Array& g, const Array& x, const Optional& weight,
                        const Optional& mean, const Array& inv_std, const Optional& dx,
                        const Optional& dweight, const Optional& dbias, const Optional& partial,
                        std::uintptr_t stream) {
  cuda::norm_rows_backward(g, x, pointer(weight), pointer(mean), inv_std,
                           {pointer(dx), pointer(dweight), pointer(dbias)}, pointer(partial),
                           to_stream(stream));
}

}  // namespace

MINIDL_REGISTER(norm_rows) {
  m.def("norm_rows", &norm_rows, "y, mean, inv_std of every row; no mean: RMS norm", py::arg("x"),
        py::arg("weight").none(true), py::arg("bias").none(true), py::arg("eps"), py::arg("y"),
        py::arg("mean").none(true), py::arg("inv_std"), py::arg("stream"));
  m.def("norm_rows_backward", &norm_rows_backward, "dx, dweight, dbias of norm_rows", py::arg("g"),
        py::arg("x"), py::arg("weight").none(true), py::arg("mean").none(true), py::arg("inv_std"),
        py::arg("dx").none(true), py::arg("dweight").none(true), py::arg("dbias").none(true),
        py::arg("partial").none(true), py::arg("stream"));
  m.def("norm_rows_workspace", &cuda::norm_rows_workspace,
        "Elements of `partial` that norm_rows_backward wants", py::arg("rows"), py::arg("length"),
        py::arg("sums"));
}

}  // namespace minidl::bindings::norm_rows
