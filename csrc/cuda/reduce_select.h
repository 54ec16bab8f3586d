// Which reduction kernel serves a problem. A pure function.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "common/checks.h"

namespace minidl::cuda {

struct ReduceProblem {
  std::int64_t outputs, terms;              // results, and elements of each
  std::int64_t output_stride, term_stride;  // the smallest steps in memory along each
};

struct ReduceConfig {
  enum Algorithm {
    along,   // neighbouring threads take neighbouring terms of one output
    across,  // neighbouring threads take neighbouring outputs: terms lie far apart in memory
  } algorithm;
  int threads_per_output, outputs_per_block;
  std::int64_t parts;  // of an output, each combined by a block of its own; reduce_parts ends it

  std::string spell() const {
    return concat(algorithm == along ? "along" : "across", ", ", threads_per_output,
                  " threads an output, ", outputs_per_block, " outputs a block, ", parts, " parts");
  }
};

inline ReduceConfig select_reduce(const ReduceProblem& p) {
  // A warp would be idle for the most part on fewer terms than half its lanes.
  const bool across = p.outputs > 1 && (p.output_stride < p.term_stride || p.terms <= 16);
  ReduceConfig config{ReduceConfig::across, p.terms >= 64 ? 8 : 1, 32, 1};
  if (across && p.terms < 64 && p.outputs >= 4096) config.outputs_per_block = 128;
  // A warp is enough for a short reduction and needs no barrier; a long one takes the whole block.
  if (!across) {
    config = p.terms <= 1024 ? ReduceConfig{ReduceConfig::along, 32, 4, 1}
                             : ReduceConfig{ReduceConfig::along, 256, 1, 1};
  }
  // Few long reductions would leave most of the GPU idle: they are cut into parts, but not below
  // what keeps a thread busy for a while.
  constexpr std::int64_t enough_blocks = 512, most_parts = 256, least_terms_of_thread = 32;
  const std::int64_t blocks = (p.outputs + config.outputs_per_block - 1) / config.outputs_per_block;
  const std::int64_t wanted = blocks > 0 ? enough_blocks / blocks : 1;
  const std::int64_t possible = p.terms / (config.threads_per_output * least_terms_of_thread);
  config.parts = std::clamp(std::min(wanted, possible), std::int64_t{1}, most_parts);
  return config;
}

}  // namespace minidl::cuda
