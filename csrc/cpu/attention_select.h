// How attention is cut: pure functions of the problem and the number of threads. No choice changes
// a bit of the result: blocks begin at multiples of kQueryBlock and kKeyBlock whoever computes
// them.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu/gemm_select.h"

namespace minidl::cpu {

// Scores that a thread holds at a time: 64 KiB of floats, beside which the packed keys and values
// of a block stay in the second cache.
inline constexpr int64_t kQueryBlock = 64, kKeyBlock = 256;

struct AttentionPlan {
  int64_t grain;  // heads a task, where a task takes whole heads; else 0
  int64_t rows;   // queries a task, a multiple of kQueryBlock, where heads are cut
};

// `work`: multiplications a head.
inline AttentionPlan whole_heads(int64_t heads, int64_t work, int threads) {
  const int64_t most = (heads + 2 * threads - 1) / (2 * threads);
  return {std::clamp<int64_t>(kSerialWork / std::max<int64_t>(1, work), 1, most), 0};
}

// Heads of which a thread gets several keep all threads busy; fewer are cut into stretches of
// queries, not so short that packing keys and values again for each shows.
inline AttentionPlan select_attention(int64_t heads, int64_t queries, int64_t work, int threads) {
  if (threads == 1 || heads >= 4 * threads || heads * work <= 2 * kSerialWork) {
    return whole_heads(heads, work, threads);
  }
  const int64_t pieces = (4 * threads + heads - 1) / heads;
  const int64_t blocks = (queries + pieces * kQueryBlock - 1) / (pieces * kQueryBlock);
  return {0, std::max<int64_t>(2, blocks) * kQueryBlock};
}

// Cut heads need two passes for the gradients, of the keys and of the queries, and compute the
// scores in both: 7 products for 5.
inline AttentionPlan select_attention_backward(int64_t heads, int64_t queries, int64_t work,
                                               int threads) {
  const bool even = heads >= 2 * threads || heads % threads == 0;
  return even ? whole_heads(heads, work, threads) : select_attention(heads, queries, work, threads);
}

}  // namespace minidl::cpu
