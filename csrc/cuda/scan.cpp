#include "cuda/scan.h"

#include "cuda/scan_kernels.h"
#include "cuda/walk_plan.h"

namespace minidl::cuda {
namespace {

constexpr std::int64_t state_words = 2;  // of 8 bytes, enough for the state of every operation

struct Plan {
  Walk<3> rows;
  std::int64_t length, stride[3];
  ScanConfig config;
};

Plan plan(const Array& input, std::int64_t dim, const Array& output, const Array& places) {
  MINIDL_CHECK_INDEX(0 <= dim && dim < input.rank(), "scan: dim ", dim,
                     " is out of range for shape ", spell(input.shape));
  std::vector<WalkAxis<3>> axes;
  for (int d = 0; d < input.rank(); ++d) {
    if (d != dim)
      axes.push_back({input.shape[d], {input.strides[d], output.strides[d], places.strides[d]}});
  }
  std::stable_sort(axes.begin(), axes.end(), [](const WalkAxis<3>& a, const WalkAxis<3>& b) {
    return std::abs(a.stride[0]) > std::abs(b.stride[0]);
  });
  const Walk<3> rows = merge_axes(axes);
  const std::int64_t row_stride = rows.dims == 0 ? 0 : std::abs(rows.stride[rows.dims - 1][0]);
  const std::int64_t length = input.shape[dim], stride = input.strides[dim];
  return {rows,
          length,
          {stride, output.strides[dim], places.strides[dim]},
          select_scan({rows.count, length, row_stride, std::abs(stride)})};
}

template <class Function>
void with_operation(Scan kind, const Array& input, Function&& fn) {
  const auto floating = [&](auto&& body) { with_floating_type("input", input, body); };
  const auto summed = [&](auto&& body) {
    input.dtype == DType::int64 ? body(std::int64_t{}) : floating(body);
  };
  const auto compared = [&](auto&& body) {
    if (input.dtype == DType::boolean || input.dtype == DType::uint8) return body(std::uint8_t{});
    if (input.dtype == DType::int32) return body(std::int32_t{});
    summed(body);
  };
  switch (kind) {
    case Scan::sum:
      return summed([&](auto zero) { fn(SumOp<decltype(zero)>{}); });
    case Scan::prod:
      return summed([&](auto zero) { fn(ProdOp<decltype(zero)>{}); });
    case Scan::max:
    case Scan::min:
      return compared([&](auto zero) { fn(RunningOp<decltype(zero)>{kind == Scan::min}); });
    case Scan::logsumexp:
      return floating([&](auto zero) { fn(LogSumExpOp<decltype(zero)>{}); });
  }
}

}  // namespace

std::int64_t scan_workspace(const Array& input, std::int64_t dim) {
  const Plan planned = plan(input, dim, input, input);
  const std::int64_t parts = planned.config.parts;
  return parts == 1 ? 0 : parts * planned.rows.count * state_words;
}

void scan(Scan kind, const Array& input, std::int64_t dim, const Array& output, const Array* places,
          const Array* workspace, Stream stream) {
  check_dtype("output", output, input.dtype);
  check_shape("output", output, input.shape);
  MINIDL_CHECK((places != nullptr) == (kind == Scan::max || kind == Scan::min),
               "places belong to running maxima and minima, and only to them");
  if (places) {
    check_dtype("places", *places, DType::int64);
    check_shape("places", *places, input.shape);
  }
  const Plan planned = plan(input, dim, output, places ? *places : output);
  const ScanConfig& config = planned.config;
  if (config.parts > 1) {
    const std::int64_t wanted = config.parts * planned.rows.count * state_words;
    MINIDL_CHECK(workspace && workspace->rank() == 1 && workspace->shape[0] >= wanted &&
                     workspace->strides[0] == 1,
                 "a scan of shape ", spell(input.shape), " wants a workspace of ", wanted,
                 " elements");
    check_dtype("workspace", *workspace, DType::float64);
  }
  with_operation(kind, input, [&](auto op) {
    using Op = decltype(op);
    static_assert(sizeof(typename Op::State) <= state_words * 8);
    ScanArrays<Op> arrays{
        .op = op,
        .input = input.as<const typename Op::Input>(),
        .output = output.as<typename Op::Output>(),
        .places = places ? places->as<std::int64_t>() : nullptr,
        .rows = planned.rows,
        .length = planned.length,
        .stride = {planned.stride[0], planned.stride[1], planned.stride[2]},
        .part_length = (planned.length + config.parts - 1) / config.parts,
        .totals = config.parts > 1 ? workspace->as<typename Op::State>() : nullptr,
        .totals_only = config.parts > 1};
    const auto run = config.algorithm == ScanConfig::along ? scan_along<Op> : scan_across<Op>;
    if (config.parts > 1) run(arrays, config, stream);
    arrays.totals_only = false;
    run(arrays, config, stream);
  });
}

}  // namespace minidl::cuda
