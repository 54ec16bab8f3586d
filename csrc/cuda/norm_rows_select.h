// How rows of a norm are shared out between threads. Pure functions.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "common/checks.h"

namespace minidl::cuda {

inline constexpr int norm_threads = 512;  // the most of a block: each has 128 registers

struct RowNormConfig {
  bool held;  // rows stay in registers; else they are read again for every pass
  int threads_per_row, rows_per_block;
  std::int64_t blocks;

  std::string spell() const {
    return concat(held ? "held" : "streamed", ", ", threads_per_row, " threads a row, ",
                  rows_per_block, " rows a block, ", blocks, " blocks");
  }
};

// Threads that hold a row of `length`, `elements` each: as many as hold it with half of that, if
// there are so many, which keeps more of them busy.
inline int threads_that_hold(std::int64_t length, int elements) {
  if (length <= 32 * elements) return 32;
  const std::int64_t wanted = (length + elements / 2 - 1) / (elements / 2);
  return static_cast<int>(std::min<std::int64_t>(norm_threads, (wanted + 31) / 32 * 32));
}

// Forward: a row a warp or a block.
inline RowNormConfig select_norm_rows(std::int64_t rows, std::int64_t length, int elements) {
  if (length > norm_threads * elements) return {false, norm_threads, 1, rows};
  const int threads = threads_that_hold(length, elements), per_block = threads == 32 ? 8 : 1;
  return {true, threads, per_block, (rows + per_block - 1) / per_block};
}

// Backward: blocks that take row after row, because each adds up what the rows bring to the columns
// in registers, and writes that once. Not more than fill a GPU, and four rows a worker at least
// while rows last.
inline RowNormConfig select_norm_rows_grad(std::int64_t rows, std::int64_t length, int elements) {
  if (length > norm_threads * elements) return {false, norm_threads, 1, rows};
  const int threads = length <= 32 * elements
                          ? 32
                          : static_cast<int>((length + 32 * elements - 1) / (32 * elements)) * 32;
  const int per_block = threads == 32 ? 8 : 1;
  const std::int64_t useful = (rows + 4 * per_block - 1) / (4 * per_block);
  const std::int64_t most = std::max(264, 264 * norm_threads / 2 / (threads * per_block));
  return {true, threads, per_block, std::min(useful, most)};
}

// Parts that rows are cut into where their columns are summed by a pass of its own.
inline std::int64_t column_parts(std::int64_t rows) {
  return std::clamp<std::int64_t>(rows / 64, rows > 0, 64);
}

}  // namespace minidl::cuda
