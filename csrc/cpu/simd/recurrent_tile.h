// What the steps of all recurrent layers share: packed weights, the product of a few rows with the
// panels of a block of hidden units, and the walk through tiles, steps and threads.
#pragma once

#include "cpu/phases.h"
#include "cpu/recurrent_steps.h"
#include "cpu/simd/gemm_kernel.h"
#include "cpu/simd/gemm_pack.h"
#include "cpu/thread_pool.h"

namespace minidl::cpu::MINIDL_ISA {

template <typename T>
inline constexpr int64_t kBlock = Tile<T>::kCols;  // hidden units, or columns, of a block

constexpr int64_t blocks_of(int64_t columns, int64_t block) {
  return (columns + block - 1) / block;
}

// The sums of a tile: one panel's worth of columns for every gate.
template <typename T, int kGates>
struct Sums {
  alignas(64) T data[kGates][Tile<T>::kRows][kBlock<T>];
};

// `kGates` matrices of one shape [depth, columns], packed: panel (gate, block) holds kBlock
// columns.
template <typename T, int kGates>
class GatePanels {
 public:
  // Column j of gate g is matrix[(g columns + j) line + k step], k < depth.
  GatePanels(Lines<T> matrix, int64_t columns, int64_t depth, T* memory)
      : matrix_(matrix), columns_(columns), depth_(depth), memory_(memory) {}

  int64_t blocks() const { return blocks_of(columns_, kBlock<T>); }
  int64_t width(int64_t block) const {
    const int64_t left = columns_ - block * kBlock<T>;
    return left < kBlock<T> ? left : kBlock<T>;
  }

  void pack(int64_t block) const {
    for (int64_t gate = 0; gate < kGates; ++gate) {
      const Lines<T> from = matrix_.from(gate * columns_ + block * kBlock<T>, 0);
      pack_panel<kBlock<T>>(from, width(block), depth_, memory_ + offset(gate, block));
    }
  }

  // sums[gate][i][j] = a[i, depth] times column j of the block, for i < rows <= kRows.
  MINIDL_INLINE void multiply(int64_t block, int64_t rows, const T* a, int64_t lda,
                              Sums<T, kGates>& sums) const {
    const auto kernel = kTileKernels<T>.of[1][width(block) > kLanes<T>][rows - 1];
    for (int64_t gate = 0; gate < kGates; ++gate) {
      const T* panel = memory_ + offset(gate, block);
      kernel(depth_, a, lda, panel, kBlock<T>,
             {sums.data[gate][0], kBlock<T>, kBlock<T>, nullptr, 0, panel});
    }
  }

 private:
  int64_t offset(int64_t gate, int64_t block) const {
    return (gate * blocks() + block) * kBlock<T> * depth_;
  }

  Lines<T> matrix_;
  int64_t columns_, depth_;
  T* memory_;
};

// Some lanes of a vector at a place of an array; all of them where kFull.
template <bool kFull>
struct Part {
  int64_t count;

  template <typename T>
  MINIDL_INLINE Vec<T> get(const T* from) const {
    if constexpr (kFull) {
      return load(from);
    } else {
      return load_n(from, count);
    }
  }
  // Zeros where there is no array.
  template <typename T>
  MINIDL_INLINE Vec<T> get_any(const T* array, int64_t at) const {
    return array == nullptr ? Vec<T>{} : get(array + at);
  }
  template <typename T>
  MINIDL_INLINE void put(T* to, Vec<T> v) const {
    if constexpr (kFull) {
      store(to, v);
    } else {
      store_n(to, count, v);
    }
  }
};

// Calls body(j, part) for the vectors of a block of `width` columns; j counts columns of the block.
template <typename T, typename Body>
MINIDL_INLINE void for_vectors(int64_t width, const Body& body) {
  int64_t j = 0;
  for (; j + kLanes<T> <= width; j += kLanes<T>) body(j, Part<true>{kLanes<T>});
  if (j < width) body(j, Part<false>{width - j});
}

// Calls body(first, rows) for tiles of [begin, end) of about one size.
template <typename T, typename Body>
MINIDL_INLINE void for_tiles(int64_t begin, int64_t end, const Body& body) {
  const int64_t rows = end - begin, tiles = blocks_of(rows, Tile<T>::kRows);
  for (int64_t i = 0; i < tiles; ++i) {
    const int64_t first = begin + i * rows / tiles;
    body(first, begin + (i + 1) * rows / tiles - first);
  }
}

// Asks for the first cache line of each vector that a tile will touch.
template <typename T>
MINIDL_INLINE void prefetch_rows(const T* from, int64_t rows, int64_t row, int64_t width) {
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < width; j += 64 / static_cast<int64_t>(sizeof(T))) {
      __builtin_prefetch(from + i * row + j, 1);
    }
  }
}

// Calls pack(block) for all blocks and then body(phase, block, begin, end) phase after phase, for
// all blocks and all rows [0, batch), shared by the threads as `sharing` says. begin / kRowsOfPiece
// is the number of the piece of rows.
template <typename Pack, typename Body>
MINIDL_INLINE void walk(Sharing sharing, int64_t phases, int64_t blocks, int64_t batch,
                        const Pack& pack, const Body& body) {
  if (sharing == Sharing::columns) {
    return parallel_phases(phases + 1, blocks, [&](int64_t phase, int64_t block) {
      phase == 0 ? pack(block) : body(phase - 1, block, int64_t{0}, batch);
    });
  }
  parallel_for(blocks, sharing == Sharing::rows ? 1 : blocks, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) pack(block);
  });
  const int64_t grain = sharing == Sharing::rows ? kRowsOfPiece : batch < 1 ? 1 : batch;
  parallel_for(batch, grain, [&](int64_t begin, int64_t end) {
    for (int64_t phase = 0; phase < phases; ++phase) {
      for (int64_t block = 0; block < blocks; ++block) body(phase, block, begin, end);
    }
  });
}

// Sums of gradients over rows, in double: steps times samples are many terms for a float.
// sums [pieces, kGates, width].
template <typename T, int kGates>
class BiasSums {
 public:
  BiasSums(int64_t pieces, int64_t hidden, T* memory)
      : pieces_(pieces),
        hidden_(hidden),
        width_(blocks_of(hidden, kBlock<T>) * kBlock<T>),
        sums_(reinterpret_cast<double*>(memory)) {
    for (int64_t i = 0; i < pieces * kGates * width_; ++i) sums_[i] = 0;
  }

  MINIDL_INLINE void add(int64_t piece, int64_t column, const Vec<T> (&values)[kGates]) const {
    for (int64_t gate = 0; gate < kGates; ++gate) {
      double* to = sums_ + (piece * kGates + gate) * width_ + column;
      T lanes[kLanes<T>];
      store(lanes, values[gate]);
      for (int64_t i = 0; i < kLanes<T>; ++i) to[i] += static_cast<double>(lanes[i]);
    }
  }

  // db[kGates, hidden]
  void finish(T* db) const {
    for (int64_t gate = 0; gate < kGates; ++gate) {
      for (int64_t j = 0; j < hidden_; ++j) {
        double total = 0;
        for (int64_t piece = 0; piece < pieces_; ++piece) {
          total += sums_[(piece * kGates + gate) * width_ + j];
        }
        db[gate * hidden_ + j] = static_cast<T>(total);
      }
    }
  }

 private:
  int64_t pieces_, hidden_, width_;
  double* sums_;
};

inline int64_t pieces_of(Sharing sharing, int64_t batch) {
  return sharing == Sharing::rows ? blocks_of(batch, kRowsOfPiece) : 1;
}

}  // namespace minidl::cpu::MINIDL_ISA
