// Broadcasting walks: one row-major pass over the result, each operand with its own strides.
#pragma once

#include <array>
#include <cstdint>

namespace minidl::cpu {

// Most dimensions that a walk takes; arrays of more are left to the reference.
inline constexpr int kWalkRank = 16;

// The shape of a result and how N operands run along it. Strides count elements, 0 where an
// operand is broadcast. Axes of extent 1 are dropped and axes that every operand runs through
// evenly are one axis, so that the last axis, the row, is as long as can be.
template <int N>
struct Walk {
  int rank = 0;
  std::array<int64_t, kWalkRank> shape;
  std::array<std::array<int64_t, kWalkRank>, N> strides;

  // Appends an axis to the right.
  void push(int64_t extent, const std::array<int64_t, N>& steps) {
    if (extent == 1) return;
    if (rank > 0 && continues(extent, steps)) {
      shape[rank - 1] *= extent;
    } else {
      shape[rank++] = extent;
    }
    for (int i = 0; i < N; ++i) strides[i][rank - 1] = steps[i];
  }

  int64_t row() const { return rank == 0 ? 1 : shape[rank - 1]; }
  int64_t step(int operand) const { return rank == 0 ? 0 : strides[operand][rank - 1]; }

 private:
  bool continues(int64_t extent, const std::array<int64_t, N>& steps) const {
    for (int i = 0; i < N; ++i) {
      if (strides[i][rank - 1] != steps[i] * extent) return false;
    }
    return true;
  }
};

}  // namespace minidl::cpu
