// Where the operands and the result of an elementwise operation lie: broadcasting, and the order of
// the result's axes.
#pragma once

#include <cstdlib>

#include "bindings/fast_call.h"
#include "cpu/walk.h"

namespace minidl::bindings {

// The result of up to N operands takes over the order of axes that they agree upon, as in NumPy: a
// function of a transposed array is transposed. Where they disagree it is in C order.
template <int N>
class Layout {
 public:
  // A null array stands for one value. False where the shapes do not broadcast or have too many
  // dimensions.
  bool plan(PyArrayObject* const* arrays, int count) {
    for (int i = 0; i < count; ++i) {
      if (arrays[i] != nullptr) rank_ = std::max(rank_, PyArray_NDIM(arrays[i]));
    }
    if (rank_ > cpu::kWalkRank) return false;
    for (int axis = 0; axis < rank_; ++axis) {
      shape_[axis] = 1;
      for (int i = 0; i < N; ++i) strides_[axis][i] = 0;
      for (int i = 0; i < count; ++i) {
        if (arrays[i] == nullptr) continue;
        const int inside = axis - (rank_ - PyArray_NDIM(arrays[i]));
        const npy_intp extent = inside < 0 ? 1 : PyArray_DIM(arrays[i], inside);
        if (extent == 1) continue;
        if (shape_[axis] != 1 && shape_[axis] != extent) return false;
        shape_[axis] = extent;
        strides_[axis][i] = stride_of(arrays[i], inside);
      }
      size_ *= shape_[axis];
    }
    sort_axes();
    if (size_ == 0) return true;
    for (int place = 0; place < rank_; ++place)
      walk_.push(shape_[order_[place]], strides_[order_[place]]);
    return true;
  }

  // A new array for the result; null with a Python error set where memory is short.
  PyArrayObject* result(int type) const {
    bool sorted = true, reversed = true;
    for (int place = 0; place < rank_; ++place) {
      sorted &= order_[place] == place;
      reversed &= order_[place] == rank_ - 1 - place;
    }
    if (sorted || reversed) return empty_array(rank_, shape_, type, !sorted);
    npy_intp shape[cpu::kWalkRank], back[cpu::kWalkRank];
    for (int place = 0; place < rank_; ++place) {
      shape[place] = shape_[order_[place]];
      back[order_[place]] = place;
    }
    PyArrayObject* whole = empty_array(rank_, shape, type);
    if (whole == nullptr) return nullptr;
    PyArray_Dims axes{back, rank_};
    PyObject* view = PyArray_Transpose(whole, &axes);
    Py_DECREF(whole);
    return reinterpret_cast<PyArrayObject*>(view);
  }

  int64_t size() const { return size_; }
  const cpu::Walk<N>& walk() const { return walk_; }

 private:
  // Insertion from the innermost axis out.
  void sort_axes() {
    for (int place = 0; place < rank_; ++place) order_[place] = place;
    for (int first = rank_ - 2; first >= 0; --first) {
      const int axis = order_[first];
      int target = first;
      for (int place = first + 1; place < rank_; ++place) {
        const int comparison = compare(strides_[axis], strides_[order_[place]]);
        if (comparison > 0) break;
        if (comparison < 0) target = place;
      }
      for (int place = first; place < target; ++place) order_[place] = order_[place + 1];
      order_[target] = axis;
    }
  }

  // 1: the first axis stays outside the second; -1: it moves inside; 0: no operand runs along both.
  static int compare(const std::array<int64_t, N>& outer, const std::array<int64_t, N>& inner) {
    int verdict = 0;
    for (int i = 0; i < N; ++i) {
      if (outer[i] == 0 || inner[i] == 0) continue;
      if (std::abs(inner[i]) <= std::abs(outer[i])) return 1;
      verdict = -1;
    }
    return verdict;
  }

  int rank_ = 0;
  int64_t size_ = 1;
  npy_intp shape_[cpu::kWalkRank];
  std::array<int64_t, N> strides_[cpu::kWalkRank];
  int order_[cpu::kWalkRank];
  cpu::Walk<N> walk_;
};

}  // namespace minidl::bindings
