// Which sum kernel serves a problem. A pure function.
#pragma once

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

  std::string spell() const {
    return concat(algorithm == along ? "along" : "across", ", ", threads_per_sum,
                  " threads a sum, ", sums_per_block, " sums a block");
  }
};

inline SumConfig select_sum(const SumProblem& p) {
  const bool across = p.outputs > 1 && p.output_stride < p.term_stride;
  if (across) return {SumConfig::across, p.terms >= 64 ? 8 : 1, 32};
  // A warp is enough for a short sum and adds without a barrier; a long one takes the whole block.
  return p.terms <= 512 ? SumConfig{SumConfig::along, 32, 4} : SumConfig{SumConfig::along, 256, 1};
}

}  // namespace minidl::cuda
