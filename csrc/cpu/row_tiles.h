// Walks [outer, classes, inner] arrays so that the class axis can be reduced with vector code both
// where it is the last axis (inner = 1) and where it is not.
//
// A tile is one row of contiguous classes (inner = 1), or up to kTile neighbouring columns of one
// outer slice, whose class c lies c * inner further. Bodies get (i, j, c): the element's offset in
// the tile, its column in [0, width), its class.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu/thread_pool.h"

namespace minidl::cpu {

struct Rows {
  int64_t outer, classes, inner;
  int64_t count() const { return outer * inner; }
};

struct Tile {
  int64_t classes, inner, width;
  int64_t offset;  // of its first element in the array
  int64_t row;     // of its first column in [outer, inner]
};

inline constexpr int64_t kTile = 64;
inline constexpr int64_t kElementsPerPiece = 1 << 15;

// Calls body(tile) for every tile, in parallel where there is enough to do.
template <typename Body>
void for_tiles(const Rows& rows, const Body& body) {
  if (rows.count() * rows.classes == 0) return;
  const int64_t across = (rows.inner + kTile - 1) / kTile;
  const int64_t tiles = rows.outer * across;
  const int64_t elements = rows.classes * std::min(rows.inner, kTile);
  const int64_t grain = std::max<int64_t>(1, kElementsPerPiece / elements);
  const auto piece = [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; ++index) {
      const int64_t slice = index / across, first = index % across * kTile;
      body(Tile{rows.classes, rows.inner, std::min(kTile, rows.inner - first),
                slice * rows.classes * rows.inner + first, slice * rows.inner + first});
    }
  };
  if (tiles <= grain) {
    piece(0, tiles);
  } else {
    parallel_for(tiles, grain, piece);
  }
}

// body(i, j, c) for every element of a tile.
template <typename Body>
void each(const Tile& tile, const Body& body) {
  if (tile.inner == 1) {
#pragma GCC ivdep
    for (int64_t c = 0; c < tile.classes; ++c) body(c, int64_t{0}, c);
    return;
  }
  for (int64_t c = 0; c < tile.classes; ++c) {
#pragma GCC ivdep
    for (int64_t j = 0; j < tile.width; ++j) body(c * tile.inner + j, j, c);
  }
}

// The sum of term(i, 0, i) over [0, count). Lanes let the compiler use vectors and are flushed into
// a double often enough that float sums lose nothing with the number of classes.
template <typename T, typename Term>
double lane_sum(int64_t count, const Term& term) {
  constexpr int64_t kLanes = 64 / sizeof(T), kBlock = 512;
  double total = 0;
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t end = std::min(count, begin + kBlock);
    int64_t i = begin;
    if (end - begin >= kLanes) {
      T lanes[kLanes] = {};
      for (; i + kLanes <= end; i += kLanes) {
#pragma GCC ivdep
        for (int64_t l = 0; l < kLanes; ++l) lanes[l] += term(i + l, int64_t{0}, i + l);
      }
      for (int64_t l = 0; l < kLanes; ++l) total += lanes[l];
    }
    for (; i < end; ++i) total += term(i, int64_t{0}, i);
  }
  return total;
}

// sums[width] = the sum over classes of term(i, j, c).
template <typename T, typename Term>
void column_sums(const Tile& tile, const Term& term, double* sums) {
  if (tile.inner == 1) {
    sums[0] = lane_sum<T>(tile.classes, term);
    return;
  }
  std::fill_n(sums, tile.width, 0.0);
  for (int64_t c = 0; c < tile.classes; ++c) {
#pragma GCC ivdep
    for (int64_t j = 0; j < tile.width; ++j) sums[j] += term(c * tile.inner + j, j, c);
  }
}

// max[width] = the largest x over classes. NaN may be passed over: whoever subtracts the maximum
// meets it again.
template <typename T>
void column_max(const Tile& tile, const T* x, T* max) {
  const auto larger = [](T a, T b) { return a > b ? a : b; };
  if (tile.inner == 1) {
    constexpr int64_t kLanes = 64 / sizeof(T);
    T found = x[0];
    int64_t i = 0;
    if (tile.classes >= kLanes) {
      T lanes[kLanes];
      std::fill_n(lanes, kLanes, found);
      for (; i + kLanes <= tile.classes; i += kLanes) {
        for (int64_t l = 0; l < kLanes; ++l) lanes[l] = larger(x[i + l], lanes[l]);
      }
      for (int64_t l = 0; l < kLanes; ++l) found = larger(lanes[l], found);
    }
    for (; i < tile.classes; ++i) found = larger(x[i], found);
    max[0] = found;
    return;
  }
  std::copy_n(x, tile.width, max);
  for (int64_t c = 1; c < tile.classes; ++c) {
    for (int64_t j = 0; j < tile.width; ++j) max[j] = larger(x[c * tile.inner + j], max[j]);
  }
}

}  // namespace minidl::cpu
