// Which tile the matmul kernel works with. A pure function of the problem.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "common/checks.h"

namespace minidl::cuda {

struct MatmulProblem {
  std::int64_t batch, m, n, k;
};

enum class MatmulTile {
  large,   // 128 x 128, 8 x 8 a thread
  medium,  // 64 x 64, 4 x 4 a thread
  small,   // 16 x 32, 1 x 4 a thread
};

struct MatmulConfig {
  MatmulTile tile;
  int tile_m, tile_n;
  std::int64_t tiles_m, tiles_n;  // of one matrix

  std::string spell() const {
    return concat(tile_m, " x ", tile_n, " tiles, ", tiles_m, " x ", tiles_n, " a matrix");
  }
};

// The largest tile that still gives every multiprocessor something to do: a large tile reads an
// element fewer times, but a few large tiles leave most of the GPU idle, and tiles that hang over
// waste work.
inline MatmulConfig select_matmul(const MatmulProblem& p) {
  constexpr std::int64_t enough_tiles = 108;
  const auto with = [&](MatmulTile tile, int tile_m, int tile_n) {
    return MatmulConfig{tile, tile_m, tile_n, (p.m + tile_m - 1) / tile_m,
                        (p.n + tile_n - 1) / tile_n};
  };
  for (const auto& config : {with(MatmulTile::large, 128, 128), with(MatmulTile::medium, 64, 64)}) {
    const bool fits = p.m >= config.tile_m / 2 && p.n >= config.tile_n / 2;
    if (fits && config.tiles_m * config.tiles_n * p.batch >= enough_tiles) return config;
  }
  return with(MatmulTile::small, 16, 32);
}

}  // namespace minidl::cuda
