// Which tile the wgmma matmul kernel works with, and on how many blocks. A pure function of the
// problem.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "common/checks.h"

namespace minidl::cuda {

struct MatmulWgmmaConfig {
  int tile_n = 128;  // a tile is 128 x tile_n; 128 or 256
  int blocks = 1;    // each computes every blocks-th tile

  static constexpr int tile_m = 128;
  static constexpr int raster = 8;  // rows of tiles that go side by side: they share b

  std::string spell() const {
    return concat(tile_m, " x ", tile_n, " tiles by wgmma on ", blocks, " blocks");
  }
};

// Wide tiles read less per product. They pay where, in whole rounds of the multiprocessors, they
// compute no more than narrow ones.
inline MatmulWgmmaConfig select_matmul_wgmma(std::int64_t batch, std::int64_t m, std::int64_t n,
                                             std::int64_t multiprocessors) {
  const auto tiles = [&](std::int64_t width) {
    constexpr std::int64_t height = MatmulWgmmaConfig::tile_m;
    return batch * ((m + height - 1) / height) * ((n + width - 1) / width);
  };
  const auto rounds = [&](std::int64_t width) {
    return (tiles(width) + multiprocessors - 1) / multiprocessors;
  };
  const int tile_n = 2 * rounds(256) <= rounds(128) ? 256 : 128;
  return {tile_n, static_cast<int>(std::min(tiles(tile_n), multiprocessors))};
}

}  // namespace minidl::cuda
