// Scans along an axis: what each element and all before it come to.
#pragma once

#include <cstdint>

#include "cuda/array.h"
#include "cuda/stream.h"

namespace minidl::cuda {

enum class Scan {
  sum,        // float16, bfloat16 (both kept in float32), float32, float64, int64
  prod,       // as sum
  max,        // as sum, int32, uint8 and bool too; NaN wins from where it comes
  min,        // as max
  logsumexp,  // the floats
};

// output[..., i, ...] = input[..., 0, ...] to input[..., i, ...] combined, along `dim`. output has
// input's shape and dtype and shares no memory with it; any strides. `places` (int64, same shape)
// gets the index along `dim` of the last element that equals the maximum or minimum so far; it is
// null for the other scans. Always combined in the same order. `workspace` is an array of one dense
// axis, float64, of at least scan_workspace() elements, or null where that is 0. Throws
// std::invalid_argument for shapes that do not fit, TypeMismatch for dtypes, std::out_of_range for
// `dim`.
void scan(Scan kind, const Array& input, std::int64_t dim, const Array& output, const Array* places,
          const Array* workspace, Stream stream);

// Elements of workspace that scan() wants: a few long rows are scanned in parts.
std::int64_t scan_workspace(const Array& input, std::int64_t dim);

}  // namespace minidl::cuda
