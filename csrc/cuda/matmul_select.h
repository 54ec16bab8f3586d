// Which kernel computes a matrix product, with which tile, and in how many parts. A pure function
// of the problem.
#pragma once

#include <algorithm>
#include <string>

#include "common/checks.h"
#include "cuda/matmul_problem.h"
#include "cuda/matmul_wgmma_select.h"

namespace minidl::cuda {

enum class MatmulAlgorithm {
  vector,  // m or n is 1: as fast as the matrix can be read
  simt,    // any type and strides, in the arithmetic of the type (16-bit floats in float)
  mma,     // tensor cores by mma.sync, float32 sums: 16-bit floats, and tf32 where it is allowed
  wgmma,   // tensor cores of Hopper (matmul_wgmma_select.h)
};

struct MatmulConfig {
  MatmulAlgorithm algorithm = MatmulAlgorithm::simt;
  int tile = 32;                          // a block computes tile x tile outputs
  std::int64_t tiles_m = 0, tiles_n = 0;  // of one matrix
  int splits = 1;                         // parts of the sum, computed by different blocks
  std::int64_t k_per_split = 0;

  std::string spell() const {
    constexpr const char* names[] = {"vector", "simt", "mma", "wgmma"};
    const char* name = names[static_cast<int>(algorithm)];
    std::string text = name;
    if (tiles_m) {
      text += concat(", ", tile, " x ", tile, " tiles, ", tiles_m, " x ", tiles_n, " a matrix");
    }
    if (splits > 1) text += concat(", sums in ", splits, " parts of ", k_per_split);
    return text;
  }
};

// Whether mma.sync serves the type. float16 has an instruction since 7.5, bfloat16 and tf32 since
// 8.0.
inline bool takes_mma(const MatmulProblem& p) {
  if (p.dtype == DType::float16) return p.capability >= 75;
  if (p.dtype == DType::bfloat16) return p.capability >= 80;
  return p.dtype == DType::float32 && p.tf32 && p.capability >= 80;
}

// A few tiles leave most of the GPU idle. Their sums are cut, then, into parts for other blocks; a
// part is long enough to pay for writing and reading its outputs once more.
inline void split_sums(const MatmulProblem& p, MatmulConfig& config) {
  constexpr std::int64_t shortest_part = 128, most_parts = 32;
  const std::int64_t tiles = config.tiles_m * config.tiles_n * p.batch;
  config.k_per_split = p.k;
  if (tiles * 2 > p.multiprocessors || p.k < 2 * shortest_part) return;
  const std::int64_t wanted =
      std::min({p.multiprocessors / tiles, p.k / shortest_part, most_parts});
  const std::int64_t part = (p.k + wanted - 1) / wanted;
  config.k_per_split = (part + 63) / 64 * 64;  // whole steps of every kernel
  config.splits = static_cast<int>((p.k + config.k_per_split - 1) / config.k_per_split);
}

// The largest tile that still gives every multiprocessor something to do: a large tile reads an
// element fewer times, but tiles that hang over waste work.
inline MatmulConfig with_tile(const MatmulProblem& p, MatmulAlgorithm algorithm, int largest,
                              int smallest) {
  MatmulConfig config{.algorithm = algorithm};
  for (config.tile = largest;; config.tile /= 2) {
    config.tiles_m = (p.m + config.tile - 1) / config.tile;
    config.tiles_n = (p.n + config.tile - 1) / config.tile;
    if (config.tile == smallest) break;
    const bool fits = p.m > config.tile / 2 && p.n > config.tile / 2;
    if (fits && config.tiles_m * config.tiles_n * p.batch * 5 >= p.multiprocessors * 4) break;
  }
  split_sums(p, config);
  return config;
}

// A vector needs as many threads as keep memory busy: parts of long sums where outputs are few.
inline MatmulConfig for_vector(const MatmulProblem& p) {
  constexpr std::int64_t outputs_per_block = 8, shortest_part = 1024, most_parts = 64;
  MatmulConfig config{.algorithm = MatmulAlgorithm::vector, .k_per_split = p.k};
  const std::int64_t blocks = (p.m * p.n + outputs_per_block - 1) / outputs_per_block * p.batch;
  const std::int64_t wanted = std::min(
      {p.multiprocessors / std::max<std::int64_t>(blocks, 1), p.k / shortest_part, most_parts});
  if (wanted < 2) return config;
  config.k_per_split = ((p.k + wanted - 1) / wanted + 63) / 64 * 64;
  config.splits = static_cast<int>((p.k + config.k_per_split - 1) / config.k_per_split);
  return config;
}

inline MatmulConfig select_matmul(const MatmulProblem& p) {
  if (takes_wgmma(p)) return {.algorithm = MatmulAlgorithm::wgmma};
  if (p.m == 1 || p.n == 1) return for_vector(p);
  if (takes_mma(p)) return with_tile(p, MatmulAlgorithm::mma, p.capability < 80 ? 64 : 128, 64);
  return with_tile(p, MatmulAlgorithm::simt, p.dtype == DType::float32 ? 128 : 64, 32);
}

}  // namespace minidl::cuda
