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
  std::int64_t batch, queries, keys, features, value_features;
};

struct AttentionConfig {
  int width;  // features a tile holds: the smallest of 32, 64, 128 that both widths fit in

  std::string spell() const { return concat("tiled, ", width, " features a tile"); }
};

// Whether the kernels hold the features in shared memory; wider ones are left to the composed
// definition.
inline bool takes_attention(const AttentionProblem& p) {
  const std::int64_t widest = std::max(p.features, p.value_features);
  return widest >= 1 && widest <= (p.dtype == DType::float64 ? 64 : 128);
}

inline AttentionConfig select_attention(const AttentionProblem& p) {
  const std::int64_t widest = std::max(p.features, p.value_features);
  return {widest <= 32 ? 32 : widest <= 64 ? 64 : 128};
}

}  // namespace minidl::cuda
