// How the classes of a loss are shared out between threads. A pure function.
#pragma once

#include <cstdint>
#include <string>

#include "common/checks.h"

namespace minidl::cuda {

struct ClassProblem {
  std::int64_t rows, classes;             // samples, and classes of each
  std::int64_t row_stride, class_stride;  // the smallest steps in memory along each
};

struct ClassConfig {
  bool across;  // neighbouring threads take neighbouring samples instead of neighbouring classes
  int threads_per_row, rows_per_block;

  std::int64_t blocks(std::int64_t rows) const {
    return (rows + rows_per_block - 1) / rows_per_block;
  }
  std::string spell() const {
    return concat(across ? "across" : "along", ", ", threads_per_row, " threads a sample, ",
                  rows_per_block, " samples a block");
  }
};

inline ClassConfig select_classes(const ClassProblem& p) {
  if (p.row_stride < p.class_stride && p.rows >= 8) {
    return p.classes >= 64 ? ClassConfig{true, 8, 32} : ClassConfig{true, 1, 128};
  }
  if (p.classes <= 1024) return {false, 32, 8};
  return {false, p.classes <= 8192 ? 256 : 1024, 1};
}

}  // namespace minidl::cuda
