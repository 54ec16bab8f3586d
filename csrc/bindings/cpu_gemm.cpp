// One matrix product with everything that cpu/gemm.h offers, into given memory.
#include "cpu/gemm.h"

#include <pybind11/stl.h>

#include <map>
#include <string>

#include "bindings/array.h"
#include "bindings/registry.h"
#include "cpu/gemm_select.h"

namespace minidl::bindings::gemm {
namespace {

using namespace minidl::cpu;

FusedActivation activation_of(const std::string& name) {
  static const std::map<std::string, FusedActivation> known{
      {"none", FusedActivation::none},       {"relu", FusedActivation::relu},
      {"sigmoid", FusedActivation::sigmoid}, {"tanh", FusedActivation::tanh},
      {"silu", FusedActivation::silu},       {"gelu", FusedActivation::gelu}};
  const auto found = known.find(name);
  MINIDL_CHECK(found != known.end(), "gemm: no activation is called '", name, "'");
  return found->second;
}

template <class T>
Matrix<T> operand(const py::array& array) {
  MINIDL_CHECK_TYPE(array.dtype().is(py::dtype::of<T>()) && addressable(array),
                    "gemm: operands must be aligned and have the result's dtype");
  const auto seen = view<T, 2>(array);
  return {seen.data, seen.strides[0], seen.strides[1]};
}

template <class T>
const T* vector_of(const std::optional<py::array>& array, int64_t size) {
  if (!array) return nullptr;
  MINIDL_CHECK_TYPE(array->dtype().is(py::dtype::of<T>()) && c_contiguous(*array),
                    "gemm: a bias must be contiguous and have the result's dtype");
  MINIDL_CHECK(array->ndim() == 1 && array->shape(0) == size, "gemm: a bias must have ", size,
               " elements");
  return static_cast<const T*>(array->data());
}

template <class T>
void multiply_into(py::array& c, const py::array& a, const py::array& b,
                   const std::optional<py::array>& bias, const std::optional<py::array>& row_bias,
                   const std::string& activation, bool accumulate, const std::string& form) {
  const auto out = mutable_view<T, 2>(c);
  const Matrix<T> left = operand<T>(a), right = operand<T>(b);
  const GemmShape shape{out.shape[0], out.shape[1], a.shape(1)};
  MINIDL_CHECK(a.shape(0) == shape.M && b.shape(0) == shape.K && b.shape(1) == shape.N, "gemm: a [",
               a.shape(0), ", ", a.shape(1), "] times b [", b.shape(0), ", ", b.shape(1),
               "] does not give c [", shape.M, ", ", shape.N, "]");
  MINIDL_CHECK(addressable(c) && (shape.N <= 1 || out.strides[1] == 1) &&
                   (shape.M <= 1 || out.strides[0] >= shape.N),
               "gemm: c must have contiguous rows in order");
  MINIDL_CHECK(form == "serial" || form == "parallel" || form == "packed",
               "gemm: no form is called '", form, "'");
  const GemmResult<T> result{out.data,
                             shape.M <= 1 ? shape.N : out.strides[0],
                             {accumulate, vector_of<T>(bias, shape.N),
                              vector_of<T>(row_bias, shape.M), activation_of(activation)}};
  py::gil_scoped_release release;
  if (form == "packed") {
    PackedMatrix<T>(shape.K, shape.N, right).multiply(shape.M, left, result);
  } else if (form == "parallel") {
    gemm_kernels<T>().multiply_parallel(shape, left, right, result);
  } else {
    gemm_kernels<T>().multiply(shape, left, right, result);
  }
}

void gemm_into(py::array c, const py::array& a, const py::array& b,
               const std::optional<py::array>& bias, const std::optional<py::array>& row_bias,
               const std::string& activation, bool accumulate, const std::string& form) {
  const bool single = c.dtype().is(py::dtype::of<float>());
  MINIDL_CHECK_TYPE(single || c.dtype().is(py::dtype::of<double>()),
                    "gemm: expected float32 or float64");
  (single ? multiply_into<float> : multiply_into<double>)(c, a, b, bias, row_bias, activation,
                                                          accumulate, form);
}

// What cpu/gemm_select.h chooses for `count` float products on the instruction set at hand.
py::dict gemm_plan(int64_t count, int64_t M, int64_t N, int64_t K, int threads) {
  MINIDL_CHECK(std::min({count, M, N, K}) >= 0 && threads >= 1, "gemm_plan: a negative size");
  const GemmShape shape{M, N, K};
  const GemmKernels<float>& kernels = gemm_kernels<float>();
  const BatchPlan batch = select_batch(count, shape, threads);
  const CutPlan plan = batch.parallel_products
                           ? select_cut(shape, kernels.tile_rows, kernels.tile_cols, threads)
                           : CutPlan{Cut::none, 0};
  const char* cut = batch.grain > 0         ? "batch"
                    : plan.cut == Cut::rows ? "rows"
                    : plan.cut == Cut::cols ? "cols"
                                            : "none";
  py::dict found;
  found["cut"] = cut;
  found["grain"] = batch.grain > 0 ? batch.grain : plan.grain;
  found["tile"] = py::make_tuple(kernels.tile_rows, kernels.tile_cols);
  return found;
}

}  // namespace

MINIDL_REGISTER(gemm) {
  m.def("gemm_into", &gemm_into, py::arg("c"), py::arg("a"), py::arg("b"), py::kw_only(),
        py::arg("bias") = py::none(), py::arg("row_bias") = py::none(),
        py::arg("activation") = "none", py::arg("accumulate") = false, py::arg("form") = "serial",
        "c[M, N] = activation(a[M, K] b[K, N] [+ c] [+ bias[N]] [+ row_bias[M]]); form: serial, "
        "parallel, packed");
  m.def(
      "gemm_plan", &gemm_plan, py::arg("count"), py::arg("M"), py::arg("N"), py::arg("K"),
      py::arg("threads"),
      "How products are cut between threads: batch, rows, cols or none, how many a task, the tile");
}

}  // namespace minidl::bindings::gemm
