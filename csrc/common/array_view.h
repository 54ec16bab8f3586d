// A strided view of memory that somebody else owns. Sizes and strides are 64 bits everywhere.
#pragma once

#include <array>
#include <cstdint>

#include "common/checks.h"

namespace minidl {

// NumPy's limit, and what a view carries room for.
inline constexpr int kMaxRank = 64;

// Rank is part of the type, so that indexing unrolls: x(n, c, h, w). Strides count elements.
template <class T, int Rank>
struct ArrayView {
  T* data;
  std::array<int64_t, Rank> shape;
  std::array<int64_t, Rank> strides;

  template <class... Index>
  T& operator()(Index... index) const {
    static_assert(sizeof...(Index) == Rank, "one index a dimension");
    int64_t offset = 0;
    int axis = 0;
    ((offset += static_cast<int64_t>(index) * strides[axis++]), ...);
    return data[offset];
  }

  int64_t size() const {
    int64_t count = 1;
    for (const int64_t extent : shape) count *= extent;
    return count;
  }

  // C order without gaps; axes of extent 1 may have any stride, as in NumPy.
  bool contiguous() const {
    int64_t expected = 1;
    for (int axis = Rank - 1; axis >= 0; --axis) {
      if (shape[axis] != 1 && strides[axis] != expected) return size() == 0;
      expected *= shape[axis];
    }
    return true;
  }
};

}  // namespace minidl
