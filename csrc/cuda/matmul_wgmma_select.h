// Which products the kernel for Hopper's wgmma takes.
#pragma once

#include "cuda/matmul_problem.h"

namespace minidl::cuda {

// Its tiles are large: it pays where they are full and keep at least half of the GPU busy, or where
// sums are too short for mma.sync to cut them into parts.
inline bool takes_wgmma(const MatmulProblem& p) {
  constexpr std::int64_t tile = 128, shortest_to_cut = 256;
  if (p.capability != 90 || !p.tensor_maps || !p.plain || p.m <= tile / 2 || p.n <= tile / 2) {
    return false;
  }
  const std::int64_t tiles = p.batch * ((p.m + tile - 1) / tile) * ((p.n + tile - 1) / tile);
  return 2 * tiles > p.multiprocessors || p.k < shortest_to_cut;
}

}  // namespace minidl::cuda
