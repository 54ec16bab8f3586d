// Making a Walk: broadcasting, ordering and merging of axes. Pure functions of shapes and strides.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "common/checks.h"
#include "cuda/array.h"
#include "cuda/walk.h"

namespace minidl::cuda {

template <int N>
struct WalkAxis {
  std::int64_t size;
  std::int64_t stride[N];
};

// Axes in the given order, slowest first: those of size 1 left out, neighbours merged where every
// array steps through both as through one.
template <int N>
Walk<N> merge_axes(const std::vector<WalkAxis<N>>& axes) {
  Walk<N> walk;
  std::vector<WalkAxis<N>> merged;
  for (const WalkAxis<N>& axis : axes) {
    walk.count *= axis.size;
    if (axis.size == 1) continue;
    bool joins = !merged.empty();
    for (int n = 0; joins && n < N; ++n)
      joins = merged.back().stride[n] == axis.stride[n] * axis.size;
    if (joins) {
      merged.back().size *= axis.size;
      std::copy_n(axis.stride, N, merged.back().stride);
    } else {
      merged.push_back(axis);
    }
  }
  MINIDL_CHECK(merged.size() <= max_walk_dims, "arrays of ", merged.size(),
               " dimensions that do not merge are beyond the limit of ", max_walk_dims);
  walk.dims = static_cast<int>(merged.size());
  for (int d = 0; d < walk.dims; ++d) {
    walk.size[d] = merged[d].size;
    std::copy_n(merged[d].stride, N, walk.stride[d]);
  }
  return walk;
}

// The axes of `shape` with the strides of the arrays broadcast to it (aligned at the last axis).
template <int N>
std::vector<WalkAxis<N>> broadcast_axes(const std::vector<std::int64_t>& shape,
                                        const Array* const (&arrays)[N]) {
  std::vector<WalkAxis<N>> axes(shape.size());
  for (std::size_t d = 0; d < shape.size(); ++d) axes[d].size = shape[d];
  for (int n = 0; n < N; ++n) {
    const Array& array = *arrays[n];
    MINIDL_CHECK(array.shape.size() <= shape.size(), "shape ", spell(array.shape),
                 " cannot be broadcast to ", spell(shape));
    const std::size_t missing = shape.size() - array.shape.size();
    for (std::size_t d = 0; d < shape.size(); ++d) {
      const std::int64_t size = d < missing ? 1 : array.shape[d - missing];
      MINIDL_CHECK(size == shape[d] || size == 1, "shape ", spell(array.shape),
                   " cannot be broadcast to ", spell(shape));
      axes[d].stride[n] = size == 1 ? 0 : array.strides[d - missing];
    }
  }
  return axes;
}

// The walk over `shape` of arrays broadcast to it, in the memory order of the last array (the
// output).
template <int N>
Walk<N> plan_walk(const std::vector<std::int64_t>& shape, const Array* const (&arrays)[N]) {
  auto axes = broadcast_axes(shape, arrays);
  std::stable_sort(axes.begin(), axes.end(), [](const WalkAxis<N>& a, const WalkAxis<N>& b) {
    return std::abs(a.stride[N - 1]) > std::abs(b.stride[N - 1]);
  });
  return merge_axes(axes);
}

}  // namespace minidl::cuda
