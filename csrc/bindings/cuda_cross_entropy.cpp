// Losses of class indices. `targets` is (target, weight or None, ignore_index, reduction, label
// smoothing, address of the fault record).
#include "cuda/cross_entropy.h"

#include "bindings/cuda_array.h"
#include "bindings/registry.h"

namespace minidl::bindings::cross_entropy {
namespace {

using cuda::Array;
using Targets =
    std::tuple<Array, std::optional<Array>, std::int64_t, std::string, double, std::uintptr_t>;

// Calls body(targets) with what Python gave.
template <class Body>
void with_targets(const Targets& given, Body&& body) {
  const auto& [target, weight, ignore_index, reduction, smoothing, record] = given;
  MINIDL_CHECK(reduction == "none" || reduction == "mean" || reduction == "sum",
               "reduction must be none, mean or sum, got ", reduction);
  using cuda::LossReduction;
  body(cuda::ClassTargets{target, weight ? &*weight : nullptr, ignore_index,
                          reduction == "none"   ? LossReduction::none
                          : reduction == "mean" ? LossReduction::mean
                                                : LossReduction::sum,
                          smoothing, reinterpret_cast<cuda::FaultRecord*>(record)});
}

void cross_entropy(const Array& input, const Targets& targets, const Array& loss,
                   const Array& log_sums, const Array& total, const Array& partial,
                   std::uintptr_t stream) {
  with_targets(targets, [&](const cuda::ClassTargets& t) {
    cuda::cross_entropy(input, t, loss, log_sums, total, partial, to_stream(stream));
  });
}

void cross_entropy_backward(const Array& grad, const Array& input, const Targets& targets,
                            const Array& log_sums, const Array& total, const Array& grad_input,
                            std::uintptr_t stream) {
  with_targets(targets, [&](const cuda::ClassTargets& t) {
    cuda::cross_entropy_backward(grad, input, t, log_sums, total, grad_input, to_stream(stream));
  });
}

void nll_loss(const Array& input, const Targets& targets, const Array& loss, const Array& total,
              const Array& partial, std::uintptr_t stream) {
  with_targets(targets, [&](const cuda::ClassTargets& t) {
    cuda::nll_loss(input, t, loss, total, partial, to_stream(stream));
  });
}

void nll_loss_backward(const Array& grad, const Targets& targets, const Array& total,
                       const Array& partial, const Array& grad_input, std::uintptr_t stream) {
  with_targets(targets, [&](const cuda::ClassTargets& t) {
    cuda::nll_loss_backward(grad, t, total, partial, grad_input, to_stream(stream));
  });
}

}  // namespace

MINIDL_REGISTER(cross_entropy) {
  m.def("cross_entropy", &cross_entropy, "loss, log_sums, total of logits and classes",
        py::arg("input"), py::arg("targets"), py::arg("loss"), py::arg("log_sums"),
        py::arg("total"), py::arg("partial"), py::arg("stream"));
  m.def("cross_entropy_backward", &cross_entropy_backward, "grad_input of cross entropy",
        py::arg("grad"), py::arg("input"), py::arg("targets"), py::arg("log_sums"),
        py::arg("total"), py::arg("grad_input"), py::arg("stream"));
  m.def("nll_loss", &nll_loss, "loss and total of log-probabilities and classes", py::arg("input"),
        py::arg("targets"), py::arg("loss"), py::arg("total"), py::arg("partial"),
        py::arg("stream"));
  m.def("nll_loss_backward", &nll_loss_backward, "grad_input of nll_loss", py::arg("grad"),
        py::arg("targets"), py::arg("total"), py::arg("partial"), py::arg("grad_input"),
        py::arg("stream"));
}

}  // namespace minidl::bindings::cross_entropy
