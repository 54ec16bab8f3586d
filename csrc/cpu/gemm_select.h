// How a product is computed: pure functions of the problem, the tile of the instruction set and the
// number of threads. No choice between rows, columns and batches changes a bit of the result.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu/gemm.h"

namespace minidl::cpu {

// Multiplications that take a thread as long as sharing them with another one.
inline constexpr int64_t kSerialWork = 128 * 1024;

struct BatchPlan {
  int64_t grain;           // products a task; 0: one product after the other
  bool parallel_products;  // each of which is shared between the threads
};

inline BatchPlan select_batch(int64_t count, const GemmShape& shape, int threads) {
  const int64_t work = std::max<int64_t>(1, shape.M * shape.N * shape.K);
  if (threads == 1 || count * work <= 2 * kSerialWork) return {0, false};
  const int64_t most = (count + 2 * threads - 1) / (2 * threads);  // two tasks a thread or more
  const int64_t grain = std::clamp<int64_t>(kSerialWork / work, 1, most);
  if (count >= 4 * threads || (count > 1 && work <= 2 * kSerialWork)) return {grain, false};
  return {0, true};
}

enum class Cut { none, rows, cols };

// Tasks of `grain` rows or columns. The other operand is packed once for all of them.
struct CutPlan {
  Cut cut;
  int64_t grain;
};

// Lines a task, of which a tile takes `tile` at a time: as many tasks as keep the threads busy to
// the end, unless cutting finer leaves more to the slowest thread. Less than `least` lines of a
// tile cost as much as `least`.
inline int64_t select_grain(int64_t lines, int64_t tile, int64_t least, int threads) {
  int64_t best = lines, best_cost = lines + tile;
  for (const int64_t rounds : {16, 8, 4, 3, 2, 1}) {
    const int64_t grain = (lines + threads * rounds - 1) / (threads * rounds);
    if (rounds > 1 && grain < 4 * tile) continue;
    const int64_t rest = grain % tile;
    const int64_t cost = rounds * (grain - rest + (rest == 0 ? 0 : std::max(rest, least)));
    if (cost < best_cost - best_cost / 100) best = grain, best_cost = cost;
  }
  return best;
}

// Rows are cut where there are more of them than columns: the smaller operand is the one to pack
// whole. Columns are cut between tiles.
inline CutPlan select_cut(const GemmShape& shape, int64_t tile_rows, int64_t tile_cols,
                          int threads) {
  const auto [M, N, K] = shape;
  if (threads == 1 || M * N * K <= 2 * kSerialWork) return {Cut::none, 0};
  if (M >= N) return {Cut::rows, select_grain(M, tile_rows, 4, threads)};
  const int64_t tiles = (N + tile_cols - 1) / tile_cols;
  return {Cut::cols, tile_cols * select_grain(tiles, 1, 1, threads)};
}

// Whether a line of elements that lie `stride` apart falls into few sets of the first cache: then
// it holds only a few of them.
inline bool crowds_cache(int64_t stride, int64_t bytes) { return stride * bytes % 1024 == 0; }

// Whether reading A where it is beats packing it: it is read once for every tile of columns.
inline bool reads_a_in_place(const GemmShape& shape, int64_t row, int64_t col, int64_t tile_cols,
                             int64_t bytes) {
  if (row != 1 && col != 1) return false;
  if (shape.N > 2 * tile_cols) return false;
  // A tile has few rows: they crowd the cache only where all of them fall into the same lines.
  return row == 1 ? !crowds_cache(col, bytes) : row * bytes % 2048 != 0;
}

// Whether reading B where it is beats packing it: it is read once for every tile of rows.
inline bool reads_b_in_place(const GemmShape& shape, int64_t row, int64_t col, int64_t tile_rows,
                             int64_t bytes) {
  if (col != 1) return false;
  return shape.M <= tile_rows || (shape.M <= 4 * tile_rows && !crowds_cache(row, bytes));
}

}  // namespace minidl::cpu
