// Sums over some axes of an array.
#pragma once

#include <cstdint>
#include <vector>

#include "cuda/array.h"
#include "cuda/stream.h"

namespace minidl::cuda {

// output = input summed over the axes `dims` (distinct, in [0, rank)). output has input's other
// axes in their order. One dtype, float32 or float64, in which the sums are kept; any strides; a
// sum over nothing is 0. Always added in the same order: the same bits in every run. `workspace` is
// an array of one axis, of the input's dtype and at least sum_workspace() elements, or null where
// that is 0; what it holds is overwritten.
void sum(const Array& input, const std::vector<std::int64_t>& dims, const Array& output,
         const Array* workspace, Stream stream);

// Elements of workspace that sum() wants: a few long sums are added in parts first.
std::int64_t sum_workspace(const Array& input, const std::vector<std::int64_t>& dims);

}  // namespace minidl::cuda
