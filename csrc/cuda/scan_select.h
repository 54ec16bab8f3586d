// Which scan kernel serves a problem. A pure function.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "common/checks.h"

namespace minidl::cuda {

struct ScanProblem {
  std::int64_t rows, length;             // scans, and elements of each
  std::int64_t row_stride, term_stride;  // the smallest step between rows; that along a row
};

inline constexpr int scan_items = 4;  // neighbouring elements of a thread in scan_along

struct ScanConfig {
  enum Algorithm {
    along,   // a warp or a block scans a row, tile after tile
    across,  // a thread scans a row: neighbouring rows are neighbours in memory
  } algorithm;
  int threads_per_row, rows_per_block;
  std::int64_t parts;  // of a row, each scanned by a block of its own after a pass over the totals

  std::string spell() const {
    return concat(algorithm == along ? "along" : "across", ", ", threads_per_row,
                  " threads a row, ", rows_per_block, " rows a block, ", parts, " parts");
  }
};

inline ScanConfig select_scan(const ScanProblem& p) {
  const bool across = p.rows > 1 && (p.row_stride < p.term_stride || p.length <= 8);
  ScanConfig config{ScanConfig::across, 1, 128, 1};
  if (!across) {
    config = p.length <= 512 ? ScanConfig{ScanConfig::along, 32, 4, 1}
                             : ScanConfig{ScanConfig::along, 256, 1, 1};
  }
  // Few long rows would leave most of the GPU idle.
  constexpr std::int64_t enough_blocks = 512, most_parts = 256;
  const std::int64_t least = across ? 64 : 4 * config.threads_per_row * scan_items;
  const std::int64_t blocks = (p.rows + config.rows_per_block - 1) / config.rows_per_block;
  const std::int64_t wanted = blocks > 0 ? enough_blocks / blocks : 1;
  config.parts = std::clamp(std::min(wanted, p.length / least), std::int64_t{1}, most_parts);
  return config;
}

}  // namespace minidl::cuda
