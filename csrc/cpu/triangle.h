// Matrices without what lies above or below a diagonal: any element type of 1, 2, 4 or 8 bytes.
#pragma once

#include <cstdint>

namespace minidl::cpu {

struct TriangleProblem {
  int64_t matrices, rows, columns;
  int64_t diagonal;  // element (i, i + diagonal) lies on it, and stays
  bool lower;        // what stays: the part below, or above
};

template <class Word>
void triangle(const TriangleProblem& p, const Word* input, Word* out);

}  // namespace minidl::cpu
