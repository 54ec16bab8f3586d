#include "cuda/index.h"

#include "bindings/cuda_array.h"
#include "bindings/registry.h"

namespace minidl::bindings::index {
namespace {

using cuda::Array;
using Axes = std::vector<std::tuple<Array, std::int64_t, std::int64_t, std::int64_t>>;
using Rules = std::tuple<bool, std::int64_t, std::uintptr_t, std::optional<std::int64_t>>;

std::vector<cuda::IndexedAxis> to_axes(const Axes& given) {
  std::vector<cuda::IndexedAxis> axes;
  for (const auto& [index, size, stride, place] : given)
    axes.push_back({index, size, stride, place});
  return axes;
}

cuda::IndexRules to_rules(const Rules& given) {
  const auto& [wrap, kind, record, ignore] = given;
  return {wrap, static_cast<cuda::FaultKind>(kind), reinterpret_cast<cuda::FaultRecord*>(record),
          ignore.value_or(INT64_MIN)};
}

void gather(const Array& source, const Axes& axes, const Array& output, const Rules& rules,
            std::uintptr_t stream) {
  cuda::gather(source, to_axes(axes), output, to_rules(rules), to_stream(stream));
}

void index_write(const Array& target, const Axes& axes, const Array& source, const Array& owners,
                 const Rules& rules, std::uintptr_t stream) {
  cuda::index_write(target, to_axes(axes), source, owners, to_rules(rules), to_stream(stream));
}

std::int64_t index_add_workspace(const Array& target, std::int64_t count, const Axes& axes,
                                 const Array& source) {
  return cuda::index_add_workspace(target, count, to_axes(axes), source);
}

void index_add(const Array& target, std::int64_t count, const Axes& axes, const Array& source,
               const Array& workspace, const Rules& rules, std::uintptr_t stream) {
  cuda::index_add(target, count, to_axes(axes), source, workspace, to_rules(rules),
                  to_stream(stream));
}

void index_add_unordered(const Array& target, const Axes& axes, const Array& source,
                         const Rules& rules, std::uintptr_t stream) {
  cuda::index_add_unordered(target, to_axes(axes), source, to_rules(rules), to_stream(stream));
}

void check_index(const Array& index, std::int64_t size, const Array& output, const Rules& rules,
                 std::uintptr_t stream) {
  cuda::check_index(index, size, output, to_rules(rules), to_stream(stream));
}

}  // namespace

// axes: (index, size, stride, place) each; rules: (wrap, kind of fault, record, ignore)

MINIDL_REGISTER(index) {
  m.def("gather", &gather, "output = source at indices", py::arg("source"), py::arg("axes"),
        py::arg("output"), py::arg("rules"), py::arg("stream"));
  m.def("index_write", &index_write, "target at indices = source", py::arg("target"),
        py::arg("axes"), py::arg("source"), py::arg("owners"), py::arg("rules"), py::arg("stream"));
  m.def("index_add_workspace", &index_add_workspace,
        "Elements (int64) of workspace that index_add wants.", py::arg("target"), py::arg("count"),
        py::arg("axes"), py::arg("source"));
  m.def("index_add", &index_add, "target at indices += source, in a fixed order", py::arg("target"),
        py::arg("count"), py::arg("axes"), py::arg("source"), py::arg("workspace"),
        py::arg("rules"), py::arg("stream"));
  m.def("index_add_unordered", &index_add_unordered,
        "target at indices += source, in any order: atomic additions", py::arg("target"),
        py::arg("axes"), py::arg("source"), py::arg("rules"), py::arg("stream"));
  m.def("check_index", &check_index, "output = index, ignored where out of range", py::arg("index"),
        py::arg("size"), py::arg("output"), py::arg("rules"), py::arg("stream"));
}

}  // namespace minidl::bindings::index
