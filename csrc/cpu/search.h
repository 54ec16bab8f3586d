// Places among sorted numbers, and counts between edges: float and double, NaN the largest number,
// as NumPy has it.
#pragma once

#include <cstdint>

namespace minidl::cpu {

// places[rows, wanted]: before how many of a row's boundaries [rows, size] (or of the only row,
// where `shared`) each of the values [rows, wanted] is to be put in; behind equal ones where
// `right`.
struct SearchProblem {
  int64_t rows, size, wanted;
  bool shared, right;
};
template <class T>
void search_sorted(const SearchProblem& p, const T* boundaries, const T* values, int64_t* places);

// counts[edges - 1]: how many values lie between neighbours of sorted edges, of which each belongs
// to what follows it, the last to what goes before. At least two edges.
template <class T>
void count_between(int64_t edges, const T* edge, int64_t size, const T* values, double* counts);

}  // namespace minidl::cpu
