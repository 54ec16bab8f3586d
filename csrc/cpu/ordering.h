// Rows in order: stable, NaN counts as the largest number, -0 equals 0. Element types: float,
// double, int32_t, int64_t.
#pragma once

#include <cstdint>

namespace minidl::cpu {

struct OrderProblem {
  int64_t rows, size;  // of the input, without gaps; size < 2^32
  int64_t first;       // elements of a row that are wanted, from 0 to size
  bool descending;
};

// The first elements of every row in order, and where they stood: values and places [rows, first].
template <class T>
void sort_rows(const OrderProblem& p, const T* input, T* values, int64_t* places);

// The last of them alone, values and places [rows]; first >= 1.
template <class T>
void select_rows(const OrderProblem& p, const T* input, T* values, int64_t* places);

}  // namespace minidl::cpu
