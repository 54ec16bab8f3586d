// Between scan.cpp, which plans, and the kernels scan_<algorithm>.cu.
#pragma once

#include "cuda/scan_ops.h"
#include "cuda/scan_select.h"
#include "cuda/stream.h"
#include "cuda/walk.h"

namespace minidl::cuda {

template <class Op>
struct ScanArrays {
  Op op;
  const typename Op::Input* input;
  typename Op::Output* output;
  std::int64_t* places;        // or null
  Walk<3> rows;                // of input, output and places over the axes beside the scanned one
  std::int64_t length;         // of a row
  std::int64_t stride[3];      // along a row
  std::int64_t part_length;    // elements of a part
  typename Op::State* totals;  // [parts, rows], or null where there is one part
  bool totals_only;            // the first of two passes: writes totals, the second reads them

  __device__ __forceinline__ typename Op::State load(const Offsets<3>& row, std::int64_t i) const {
    return op.load(input[row.in[0] + i * stride[0]], i);
  }
  __device__ __forceinline__ void store(const Offsets<3>& row, std::int64_t i,
                                        const typename Op::State& state) const {
    output[row.in[1] + i * stride[1]] = op.finish(state);
    if constexpr (has_places<Op>) places[row.in[2] + i * stride[2]] = state.place;
  }
};

template <class Op>
void scan_along(const ScanArrays<Op>& arrays, const ScanConfig& config, Stream stream);
template <class Op>
void scan_across(const ScanArrays<Op>& arrays, const ScanConfig& config, Stream stream);

}  // namespace minidl::cuda
