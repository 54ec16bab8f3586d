// Broadcasting walks: one row-major pass over the result, each operand with its own strides.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

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

  // Whether each operand's strides shrink from left to right. Where they do not (a transposed
  // matrix, an image with channels last), the result should take over the operand's order.
  bool row_major() const {
    for (const auto& steps : strides) {
      int64_t last = INT64_MAX;
      for (int axis = 0; axis < rank; ++axis) {
        if (steps[axis] == 0) continue;
        if (std::abs(steps[axis]) > last) return false;
        last = std::abs(steps[axis]);
      }
    }
    return true;
  }

  int64_t row() const { return rank == 0 ? 1 : shape[rank - 1]; }
  int64_t step(int operand) const { return rank == 0 ? 0 : strides[operand][rank - 1]; }

  int64_t rows() const {
    int64_t count = 1;
    for (int axis = 0; axis < rank - 1; ++axis) count *= shape[axis];
    return count;
  }

  // Calls body(row number, offsets of the operands) for rows [begin, end).
  template <class Body>
  void each_row(int64_t begin, int64_t end, Body&& body) const {
    std::array<int64_t, kWalkRank> index{};
    std::array<int64_t, N> offsets{};
    int64_t rest = begin;
    for (int axis = rank - 2; axis >= 0; --axis) {
      index[axis] = rest % shape[axis];
      rest /= shape[axis];
      for (int i = 0; i < N; ++i) offsets[i] += index[axis] * strides[i][axis];
    }
    for (int64_t row = begin; row < end; ++row) {
      body(row, offsets);
      for (int axis = rank - 2; axis >= 0; --axis) {
        for (int i = 0; i < N; ++i) offsets[i] += strides[i][axis];
        if (++index[axis] < shape[axis]) break;
        for (int i = 0; i < N; ++i) offsets[i] -= shape[axis] * strides[i][axis];
        index[axis] = 0;
      }
    }
  }

 private:
  bool continues(int64_t extent, const std::array<int64_t, N>& steps) const {
    for (int i = 0; i < N; ++i) {
      if (strides[i][rank - 1] != steps[i] * extent) return false;
    }
    return true;
  }
};

}  // namespace minidl::cpu
