// Which elementwise kernel serves a walk, and how many threads. Pure functions.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "common/checks.h"
#include "cuda/elementwise_ops.h"
#include "cuda/pack.h"
#include "cuda/walk.h"

namespace minidl::cuda {

inline constexpr int elementwise_pack = 8;  // elements that a thread of the packed kernel takes

struct ElementwiseConfig {
  enum Algorithm {
    packed,  // eight neighbouring elements a thread, in accesses of 16 bytes; a kernel an operation
    strided,  // an element a thread, of any layout and dtype; a switch over the operations
  } algorithm;
  std::int64_t blocks;
  int threads;

  std::string spell() const {
    return concat(algorithm == packed ? "packed" : "strided", ", ", blocks, " blocks of ", threads,
                  " threads");
  }
};

// Where an array lies: its address and the bytes of an element. No address for a number.
struct Place {
  std::uintptr_t address;
  int bytes;
};

// Whether all arrays of a walk may be accessed by packs of `size` elements along the innermost
// axis, the last array being the output: there an array is dense or stays where it is, and every
// pack begins at a multiple of its bytes (of 16 where it has more). One axis alone may leave a
// rest.
template <int N>
bool packs_fit(const Walk<N>& walk, const Place (&places)[N], int size = elementwise_pack) {
  if (walk.dims == 0 || walk.count < size) return false;
  const int inner = walk.dims - 1;
  if (walk.dims > 1 && walk.size[inner] % size != 0) return false;
  if (walk.stride[inner][N - 1] != 1) return false;
  for (int n = 0; n < N; ++n) {
    if (walk.stride[inner][n] == 0) continue;
    if (walk.stride[inner][n] != 1) return false;
    const int aligned = std::min(places[n].bytes * size, pack_bytes);
    if (places[n].address % aligned != 0) return false;
    for (int d = 0; d < inner; ++d) {
      if (walk.stride[d][n] * places[n].bytes % aligned != 0) return false;
    }
  }
  return true;
}

// The walk in which the innermost axis counts packs; a rest is left out.
template <int N>
Walk<N> in_packs(Walk<N> walk, int size = elementwise_pack) {
  const int inner = walk.dims - 1;
  walk.size[inner] /= size;
  walk.count = 1;
  for (int d = 0; d < walk.dims; ++d) walk.count *= walk.size[d];
  for (int n = 0; n < N; ++n) walk.stride[inner][n] *= size;
  return walk;
}

// Enough blocks to fill the largest GPU several times over; beyond that a thread takes more.
inline ElementwiseConfig select_elementwise(std::int64_t count, bool packs) {
  constexpr std::int64_t most_blocks = 8192;
  const std::int64_t items = packs ? count / elementwise_pack : count;
  const std::int64_t warps = std::max<std::int64_t>(1, (items + 31) / 32);
  const int threads = static_cast<int>(std::min<std::int64_t>(256, warps * 32));
  const std::int64_t blocks = std::min(most_blocks, (items + threads - 1) / threads);
  return {packs ? ElementwiseConfig::packed : ElementwiseConfig::strided, blocks, threads};
}

}  // namespace minidl::cuda
