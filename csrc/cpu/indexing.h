// Elements and slices of an array by index. Indices count from 0; a function gives false where one
// lies outside, and its result is then not to be used. Sums are taken in the order of the indices:
// the same bits for any number of threads.
#pragma once

#include <array>
#include <cstdint>

#include "common/array_view.h"

namespace minidl::cpu {

// An index for every element of another array, whose place it gives along `dim`: element
// (.., k, .., j) of the index means element (.., index, .., j) of the array. Strides in elements;
// those of `other` belong to what is read from there or written to it, an array of the index's
// shape.
struct AlongProblem {
  int rank, dim;
  int64_t size;  // of the array along dim
  std::array<int64_t, kMaxRank> extent, array, index, other;
};

// other = array at index; Word: any type as wide as an element.
template <class Word>
bool take_along(const AlongProblem& p, const int64_t* index, const Word* array, Word* other);
// array at index = other, the last one where several meet
template <class Word>
bool put_along(const AlongProblem& p, const int64_t* index, const Word* other, Word* array);
// array at index += other
template <class T>
bool add_along(const AlongProblem& p, const int64_t* index, const T* other, T* array);

// The slices index[count] of an array [outer, size, inner], as an array [outer, count, inner].
struct SliceProblem {
  int64_t outer, size, inner, count;
};

template <class Word>
bool take_slices(const SliceProblem& p, const int64_t* index, const Word* array, Word* slices);
// array += slices at their places
template <class T>
bool add_slices(const SliceProblem& p, const int64_t* index, const T* slices, T* array);

}  // namespace minidl::cpu
