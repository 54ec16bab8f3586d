// Which elementwise kernel serves a walk. A pure function.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "common/checks.h"

namespace minidl::cuda {

struct ElementwiseConfig {
  enum Algorithm {
    flat,     // one axis is left after merging: an offset is a product, no division
    strided,  // several axes: an offset costs a division each
  } algorithm;
  std::int64_t blocks;
  int threads;

  std::string spell() const {
    return concat(algorithm == flat ? "flat" : "strided", ", ", blocks, " blocks of ", threads,
                  " threads");
  }
};

inline ElementwiseConfig select_elementwise(std::int64_t count, int dims) {
  // Enough blocks to fill the largest GPU several times over; beyond that a thread takes more
  // elements.
  constexpr std::int64_t most_blocks = 8192;
  const int threads = count < 256 ? 64 : 256;
  const std::int64_t blocks = std::min(most_blocks, (count + threads - 1) / threads);
  return {dims <= 1 ? ElementwiseConfig::flat : ElementwiseConfig::strided, blocks, threads};
}

}  // namespace minidl::cuda
