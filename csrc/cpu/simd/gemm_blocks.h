// Blocks of a matrix product: what convolution and recurrent cells share with matmul.
//
// An operand is any type with
//   Panels<T> panels(int64_t first, int64_t count, int64_t k, int64_t depth, T* room) const;
// that gives lines first ... first + count (rows of A, columns of B), elements k ... k + depth of
// each, as panels: packed into `room` (room_for(count, depth) elements), packed before, or as they
// lie in memory. `first` is a multiple of the panel's width. kReady says
// that nothing is packed.
#pragma once

#include "cpu/gemm_select.h"
#include "cpu/simd/gemm_kernel.h"
#include "cpu/simd/gemm_pack.h"

namespace minidl::cpu::MINIDL_ISA {

// Panel p starts at data + p * panel. Packed, and where by_rows is false, the elements of line l
// are data[l + k * stride]; by_rows (A only) data[l * stride + k].
template <typename T>
struct Panels {
  const T* data;
  int64_t panel, stride;
  bool by_rows = false;
};

template <typename T>
inline constexpr int64_t kPanelA = Tile<T>::kRows;
template <typename T>
inline constexpr int64_t kPanelB = Tile<T>::kCols;

// Lengths of a block: a panel of B, 256 x 32 floats, takes 2/3 of a first cache of 48 KiB; a block
// of A or of B some hundred KiB of the second.
inline constexpr int64_t kDepth = 256;
template <typename T>
inline constexpr int64_t kBlockRows = 224 / kPanelA<T> * kPanelA<T>;
template <typename T>
inline constexpr int64_t kBlockCols = 512;
static_assert(kBlockCols<float> % kPanelB<float> == 0 && kBlockCols<double> % kPanelB<double> == 0);

MINIDL_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
MINIDL_INLINE int64_t round_up(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

template <int64_t kPanel>
MINIDL_INLINE int64_t room_for(int64_t count, int64_t depth) {
  return round_up(count, kPanel) * depth;
}

// The depth in stretches of equal length (the last may be shorter), at most kDepth. A product with
// K = 0 has one of length 0, so that its result is written.
struct Stretches {
  int64_t K, length;
  explicit Stretches(int64_t depth) : K(depth) {
    const int64_t pieces = depth > 0 ? (depth + kDepth - 1) / kDepth : 1;
    length = (depth + pieces - 1) / pieces;
  }
  int64_t count() const { return K > 0 ? (K + length - 1) / length : 1; }

  // body(k, depth, first, last)
  template <typename Body>
  MINIDL_INLINE void each(const Body& body) const {
    int64_t k = 0;
    do {
      const int64_t depth = smaller(length, K - k);
      body(k, depth, k == 0, k + depth == K);
      k += depth;
    } while (k < K);
  }
};

// Lines in memory: packed, or read in place where `in_place` says so (rows of A: line or step is 1;
// columns of B: line is 1, and whole vectors of columns).
template <int64_t kPanel, typename T>
struct StridedLines {
  static constexpr bool kReady = false;
  Lines<T> lines;
  bool in_place = false;

  Panels<T> panels(int64_t first, int64_t count, int64_t k, int64_t depth, T* room) const {
    const Lines<T> from = lines.from(first, k);
    if (in_place) {
      const bool by_rows = lines.line != 1;
      return {from.data, kPanel * lines.line, by_rows ? lines.line : lines.step, by_rows};
    }
    pack_panels<kPanel>(from, count, depth, room);
    return {room, kPanel * depth, kPanel};
  }
};

// All lines packed before: for one stretch of the depth after the other all panels.
template <int64_t kPanel, typename T>
struct PackedLines {
  static constexpr bool kReady = true;
  const T* data;
  int64_t lines;  // rounded up to whole panels

  Panels<T> panels(int64_t first, int64_t, int64_t k, int64_t depth, T*) const {
    return {data + k * lines + first * depth, kPanel * depth, kPanel};
  }
};

template <typename T>
using RowsOfA = StridedLines<kPanelA<T>, T>;
template <typename T>
using ColumnsOfB = StridedLines<kPanelB<T>, T>;
template <typename T>
using PackedA = PackedLines<kPanelA<T>, T>;
template <typename T>
using PackedB = PackedLines<kPanelB<T>, T>;

// The operands of a product, in place where that is faster.
template <typename T>
MINIDL_INLINE RowsOfA<T> rows_of(const Matrix<T>& a, const GemmShape& shape) {
  const bool in_place = reads_a_in_place(shape, a.row, a.col, kPanelB<T>, sizeof(T));
  return {{a.data, a.row, a.col}, in_place};
}
template <typename T>
MINIDL_INLINE ColumnsOfB<T> columns_of(const Matrix<T>& b, const GemmShape& shape) {
  const bool in_place = reads_b_in_place(shape, b.row, b.col, kPanelA<T>, sizeof(T));
  return {{b.data, b.col, b.row}, in_place};
}

// A rectangle of C and one stretch of the depth.
struct Block {
  int64_t row, rows, col, cols, depth;
  bool first, last;  // stretch
};

// What tile i of `across` fetches of the panel of B after the one at b: where that is, and how far
// it goes on every step. Packed, each tile takes its share; in place, the first two take a vector
// of every row each.
template <typename T>
struct Ahead {
  const T* next;
  int64_t step = 0;

  Ahead(const Panels<T>& b, int64_t j, int64_t along, int64_t i, int64_t across, int64_t depth)
      : next(b.data + (j + 1 < along ? j + 1 : j) * b.panel) {
    if (b.stride == kPanelB<T>) {
      step = (kPanelB<T> + across - 1) / across;
      next += i * step * depth;
    } else if (i < Tile<T>::kVecs) {
      step = b.stride;
      next += i * kLanes<T>;
    }
  }
};

// One tile, at (i, j) of C, and its epilogue when its sum is whole.
template <typename T>
MINIDL_INLINE void tile_at(const GemmResult<T>& r, const Block& block, int64_t i, int64_t rows,
                           int64_t j, int64_t cols, const T* a, const Panels<T>& like_a, const T* b,
                           int64_t b_step, const Ahead<T>& ahead) {
  const Epilogue<T>& e = r.epilogue;
  T* c = r.c + i * r.ldc + j;
  const bool adds = !block.first || e.accumulate;
  const T* bias = e.bias == nullptr ? nullptr : e.bias + j;
  const TileOut<T> out{c, r.ldc, cols, adds ? c : bias, adds ? r.ldc : 0, ahead.next, ahead.step};
  const int vecs = cols > kLanes<T> ? 2 : 1;
  kTileKernels<T>.of[like_a.by_rows][vecs - 1][rows - 1](block.depth, a, like_a.stride, b, b_step,
                                                         out);
  if (!block.last) return;
  const T* late_bias = e.accumulate ? bias : nullptr;
  if (late_bias == nullptr && e.row_bias == nullptr && e.activation == FusedActivation::none)
    return;
  finish_tile(rows, cols, c, r.ldc, late_bias, e.row_bias == nullptr ? nullptr : e.row_bias + i,
              e.activation);
}

// C's block = (panels of A) (panels of B); a panel of B stays in the first cache while A's pass by.
template <typename T>
void multiply_block(const GemmResult<T>& r, const Block& block, const Panels<T>& a,
                    const Panels<T>& b) {
  constexpr int64_t P = kPanelA<T>, Q = kPanelB<T>;
  const int64_t across = (block.rows + P - 1) / P, along = (block.cols + Q - 1) / Q;
  for (int64_t j = 0; j < along; ++j) {
    for (int64_t i = 0; i < across; ++i) {
      const Ahead<T> ahead(b, j, along, i, across, block.depth);
      tile_at(r, block, block.row + i * P, smaller(P, block.rows - i * P), block.col + j * Q,
              smaller(Q, block.cols - j * Q), a.data + i * a.panel, a, b.data + j * b.panel,
              b.stride, ahead);
    }
  }
}

// The rows [row, row + rows) and columns [col, col + cols) of C on the calling thread, with all the
// depth.
template <typename T, typename A, typename B>
void multiply_range(int64_t row, int64_t rows, int64_t col, int64_t cols, int64_t K, const A& a,
                    const B& b, const GemmResult<T>& result) {
  const Stretches stretches(K);
  const int64_t tall = A::kReady ? rows : smaller(rows, kBlockRows<T>);
  const int64_t wide = B::kReady ? cols : smaller(cols, kBlockCols<T>);
  const auto room = [&](Slot slot, int64_t elements) {
    return static_cast<T*>(thread_scratch(slot, static_cast<int64_t>(sizeof(T)) * elements));
  };
  T* a_room = room(Slot::gemm_a, A::kReady ? 0 : room_for<kPanelA<T>>(tall, stretches.length));
  T* b_room = room(Slot::gemm_b, B::kReady ? 0 : room_for<kPanelB<T>>(wide, stretches.length));
  for (int64_t j = 0; j < cols; j += wide) {
    const int64_t n = smaller(wide, cols - j);
    stretches.each([&](int64_t k, int64_t depth, bool first, bool last) {
      const Panels<T> right = b.panels(col + j, n, k, depth, b_room);
      for (int64_t i = 0; i < rows; i += tall) {
        const int64_t m = smaller(tall, rows - i);
        const Panels<T> left = a.panels(row + i, m, k, depth, a_room);
        multiply_block<T>(result, {row + i, m, col + j, n, depth, first, last}, left, right);
      }
    });
  }
}

// The same for columns that are read in place, which have to be whole vectors: what is left of the
// last one is packed.
template <typename T, typename A>
void multiply_columns(int64_t row, int64_t rows, int64_t col, int64_t cols, int64_t K, const A& a,
                      ColumnsOfB<T> b, const GemmResult<T>& result) {
  const int64_t whole = b.in_place ? cols / kLanes<T> * kLanes<T> : cols;
  if (whole > 0) multiply_range<T>(row, rows, col, whole, K, a, b, result);
  b.in_place = false;
  if (whole < cols) multiply_range<T>(row, rows, col + whole, cols - whole, K, a, b, result);
}

// C = A B on the calling thread, B packed by pack_all.
template <typename T>
void multiply_packed(const GemmShape& shape, const Matrix<T>& a, const T* packed,
                     const GemmResult<T>& result) {
  if (shape.M <= 0 || shape.N <= 0) return;
  multiply_range<T>(0, shape.M, 0, shape.N, shape.K, rows_of(a, shape),
                    PackedB<T>{packed, round_up(shape.N, kPanelB<T>)}, result);
}

// Panels [first, first + count) of stretch [k, k + depth) of the form that PackedLines reads.
template <int64_t kPanel, typename T>
void pack_some(const Lines<T>& from, int64_t lines, int64_t first, int64_t count, int64_t k,
               int64_t depth, T* packed) {
  T* out = packed + k * round_up(lines, kPanel) + first * kPanel * depth;
  pack_panels<kPanel>(from.from(first * kPanel, k), smaller(count * kPanel, lines - first * kPanel),
                      depth, out);
}

template <int64_t kPanel, typename T>
void pack_all(const Lines<T>& from, int64_t lines, int64_t K, T* packed) {
  if (lines <= 0) return;
  Stretches(K).each([&](int64_t k, int64_t depth, bool, bool) {
    pack_some<kPanel>(from, lines, 0, (lines + kPanel - 1) / kPanel, k, depth, packed);
  });
}

}  // namespace minidl::cpu::MINIDL_ISA
