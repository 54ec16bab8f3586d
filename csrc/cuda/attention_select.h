// Which attention kernel serves a problem. Pure functions.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "common/checks.h"
#include "common/dispatch.h"

namespace minidl::cuda {

struct AttentionProblem {
  DType dtype;
  int capability;  // of the GPU: 75 is 7.5
  std::int64_t features, value_features;
};

struct AttentionConfig {
  enum Algorithm {
    tiled,  // any dtype, any GPU
    mma,    // float16 and bfloat16 on the tensor cores of sm_80 and later
  } algorithm;
  int width;  // features a tile holds: the smallest of 32, 64, 128 that both widths fit in

  std::string spell() const {
    return concat(algorithm == tiled ? "tiled" : "mma", ", ", width, " features a tile");
  }
};

// Whether the kernels hold the features in shared memory; wider ones are left to the composed
// definition.
inline bool takes_attention(const AttentionProblem& p) {
  const std::int64_t widest = std::max(p.features, p.value_features);
  return widest >= 1 && widest <= (p.dtype == DType::float64 ? 64 : 128);
}

inline AttentionConfig select_attention(const AttentionProblem& p) {
  const std::int64_t widest = std::max(p.features, p.value_features);
  const bool halves = p.dtype == DType::float16 || p.dtype == DType::bfloat16;
  return {halves && p.capability >= 80 ? AttentionConfig::mma : AttentionConfig::tiled,
          widest <= 32   ? 32
          : widest <= 64 ? 64
                         : 128};
}

}  // namespace minidl::cuda
