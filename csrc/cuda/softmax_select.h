// Which softmax kernel serves a problem. A pure function.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "common/checks.h"

namespace minidl::cuda {

struct SoftmaxProblem {
  std::int64_t rows, length;
  std::int64_t row_stride, stride;  // the smallest steps in memory from row to row, along a row
  int held;                         // elements that a thread keeps in registers
};

struct SoftmaxConfig {
  enum Algorithm {
    held,      // a warp or a block a row, which it reads once
    streamed,  // a block a row, which it reads twice
    across,    // neighbouring threads take neighbouring rows
  } algorithm;
  int threads_per_row, rows_per_block;

  std::string spell() const {
    constexpr const char* names[] = {"held", "streamed", "across"};
    return concat(names[algorithm], ", ", threads_per_row, " threads a row, ", rows_per_block,
                  " rows a block");
  }
};

inline SoftmaxConfig select_softmax(const SoftmaxProblem& p) {
  if (p.row_stride < p.stride && p.rows >= 8)
    return {SoftmaxConfig::across, p.length >= 64 ? 8 : 1, p.length >= 64 ? 32 : 128};
  if (p.length <= 32 * p.held) return {SoftmaxConfig::held, 32, 8};
  if (p.length > 1024 * p.held) return {SoftmaxConfig::streamed, 1024, 1};
  // Half of what a thread can hold keeps enough loads under way; the rest is for the longest rows.
  const std::int64_t wanted = (p.length + p.held / 2 - 1) / (p.held / 2);
  return {SoftmaxConfig::held,
          static_cast<int>(std::min<std::int64_t>(1024, (wanted + 31) / 32 * 32)), 1};
}

}  // namespace minidl::cuda
