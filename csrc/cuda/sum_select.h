// Which sum kernel serves a problem. A pure function.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "common/checks.h"

namespace minidl::cuda {

struct SumProblem {
  std::int64_t outputs, terms;              // sums, and elements of each
  std::int64_t output_stride, term_stride;  // the smallest steps in memory along each
};

struct SumConfig {
  enum Algorithm {
    along,   // neighbouring threads take neighbouring terms of one sum
    across,  // neighbouring threads take neighbouring sums: terms lie far apart in memory
  } algorithm;
  int threads_per_sum, sums_per_block;
  std::int64_t parts;  // of a sum, each added by a block of its own; a second pass adds the parts

  std::string spell() const {
    return concat(algorithm == along ? "along" : "across", ", ", threads_per_sum,
                  " threads a sum, ", sums_per_block, " sums a block, ", parts, " parts");
  }
};

inline SumConfig select_sum(const SumProblem& p) {
  const bool across = p.outputs > 1 && p.output_stride < p.term_stride;
  SumConfig config{SumConfig::across, p.terms >= 64 ? 8 : 1, 32, 1};
  // A warp is enough for a short sum and adds without a barrier; a long one takes the whole block.
  if (!across) {
    config = p.terms <= 512 ? SumConfig{SumConfig::along, 32, 4, 1}
                            : SumConfig{SumConfig::along, 256, 1, 1};
  }
  // Few long sums would leave most of the GPU idle: they are cut into parts, but not below what
  // keeps a thread busy for a while.
  constexpr std::int64_t enough_blocks = 512, most_parts = 256, least_terms_of_thread = 128;
  const std::int64_t blocks = (p.outputs + config.sums_per_block - 1) / config.sums_per_block;
  const std::int64_t wanted = blocks > 0 ? enough_blocks / blocks : 1;
  const std::int64_t possible = p.terms / (config.threads_per_sum * least_terms_of_thread);
  config.parts = std::clamp(std::min(wanted, possible), std::int64_t{1}, most_parts);
  return config;
}

}  // namespace minidl::cuda
