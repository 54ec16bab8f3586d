#include "cuda/norm_channels.h"

#include "bindings/cuda_array.h"
#include "bindings/registry.h"

namespace minidl::bindings::norm_channels {
namespace {

using cuda::Array;
using Optional = std::optional<Array>;

const Array* pointer(const Optional& array) { return array ? &*array : nullptr; }

void norm_statistics(const Array& x, std::int64_t groups, double eps, const Array& mean,
                     const Optional& variance, const Array& inv_std, const Array& partial,
                     std::uintptr_t stream) {
  cuda::norm_statistics(x, groups, eps, mean, pointer(variance), inv_std, partial,
                        to_stream(stream));
}

void norm_apply(const Array& x, std::int64_t groups, const Array& mean, const Array& inv_std,
                const Optional& weight, const Optional& bias, const Array& y,
                std::uintptr_t stream) {
  cuda::norm_apply(x, groups, mean, inv_std, pointer(weight), pointer(bias), y, to_stream(stream));
}

void norm_channels_backward(const Array& g, const Array& x, std::int64_t groups,
                            const Optional& weight, const Array& mean, const Array& inv_std,
                            bool vary, const Optional& dx, const Optional& dweight,
                            const Optional& dbias, const Array& partial, const Array& means,
                            std::uintptr_t stream) {
  cuda::norm_channels_backward(g, x, groups, pointer(weight), mean, inv_std, vary,
                               {pointer(dx), pointer(dweight), pointer(dbias)}, partial, means,
                               to_stream(stream));
}

void norm_inverse(const Array& variance, double eps, const Array& inv_std, std::uintptr_t stream) {
  cuda::norm_inverse(variance, eps, inv_std, to_stream(stream));
}

void norm_update(const Optional& running_mean, const Optional& running_var, const Array& mean,
                 const Array& variance, double momentum, std::int64_t count,
                 std::uintptr_t stream) {
  cuda::norm_update(pointer(running_mean), pointer(running_var), mean, variance, momentum, count,
                    to_stream(stream));
}

}  // namespace

MINIDL_REGISTER(norm_channels) {
  m.def("norm_statistics", &norm_statistics, "mean, variance, inv_std; groups 0: batch",
        py::arg("x"), py::arg("groups"), py::arg("eps"), py::arg("mean"),
        py::arg("variance").none(true), py::arg("inv_std"), py::arg("partial"), py::arg("stream"));
  m.def("norm_apply", &norm_apply, "y = (x - mean) inv_std weight + bias", py::arg("x"),
        py::arg("groups"), py::arg("mean"), py::arg("inv_std"), py::arg("weight").none(true),
        py::arg("bias").none(true), py::arg("y"), py::arg("stream"));
  m.def("norm_channels_backward", &norm_channels_backward, "dx, dweight, dbias", py::arg("g"),
        py::arg("x"), py::arg("groups"), py::arg("weight").none(true), py::arg("mean"),
        py::arg("inv_std"), py::arg("vary"), py::arg("dx").none(true),
        py::arg("dweight").none(true), py::arg("dbias").none(true), py::arg("partial"),
        py::arg("means"), py::arg("stream"));
  m.def("norm_channels_workspace", &cuda::norm_channels_workspace, "Elements of `partial`",
        py::arg("x"), py::arg("groups"));
  m.def("norm_inverse", &norm_inverse, "inv_std = 1 / sqrt(variance + eps)", py::arg("variance"),
        py::arg("eps"), py::arg("inv_std"), py::arg("stream"));
  m.def("norm_update", &norm_update, "Moves running statistics", py::arg("running_mean").none(true),
        py::arg("running_var").none(true), py::arg("mean"), py::arg("variance"),
        py::arg("momentum"), py::arg("count"), py::arg("stream"));
}

}  // namespace minidl::bindings::norm_channels
