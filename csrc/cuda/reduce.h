// Reductions over some axes of an array.
#pragma once

#include <cstdint>
#include <vector>

#include "cuda/array.h"
#include "cuda/stream.h"

namespace minidl::cuda {

// The result's dtype is the input's, bool for any and all, int64 for places and counts.
enum class Reduction {
  sum,            // float16, bfloat16 (both kept in float32), float32, float64, int64
  sum_squares,    // the floats of these
  prod,           // as sum
  amax,           // as sum, int32, uint8 and bool too; NaN wins
  amin,           // as amax
  argmax,         // as amax: the number of the first largest term; NaN wins
  argmin,         // as argmax
  any,            // as amax, int8 too
  all,            // as any
  count_nonzero,  // as any
  logsumexp,      // as sum_squares: log sum exp(x)
};

// output = input reduced over the axes `dims` (distinct, in [0, rank)). output has input's other
// axes in their order; the reduced ones may stand there too, with size 1. Any strides. Over no
// terms: the neutral element, which amax, amin, argmax and argmin have not: they are refused.
// Always combined in the same order: the same bits in every run. `workspace` is an array of one
// dense axis, float64, of at least reduce_workspace() elements, or null where that is 0; what it
// holds is overwritten. Throws std::invalid_argument for shapes that do not fit, TypeMismatch for
// dtypes, std::out_of_range for dims.
void reduce(Reduction reduction, const Array& input, const std::vector<std::int64_t>& dims,
            const Array& output, const Array* workspace, Stream stream);

// Elements of workspace that reduce() wants: a few long reductions are combined in parts first.
std::int64_t reduce_workspace(const Array& input, const std::vector<std::int64_t>& dims);

}  // namespace minidl::cuda
