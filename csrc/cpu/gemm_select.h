// How products are cut between threads: pure functions of the problem.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu/gemm.h"

namespace minidl::cpu {

// Multiplications that one thread does in the time that waking another one takes.
inline constexpr int64_t kSerialWork = 128 * 1024;

struct BatchPlan {
  int64_t grain;           // products a task; 0: one product after the other
  bool parallel_products;  // each of which is shared between the threads
};

inline BatchPlan select_batch(int64_t count, const GemmShape& shape) {
  const int64_t work = std::max<int64_t>(1, shape.M * shape.N * shape.K);
  if (count * work <= 2 * kSerialWork) return {0, false};
  if (count >= 8 || (count > 1 && work <= 2 * kSerialWork)) {
    return {std::clamp<int64_t>(kSerialWork / work, 1, (count + 1) / 2), false};
  }
  return {0, true};
}

}  // namespace minidl::cpu
