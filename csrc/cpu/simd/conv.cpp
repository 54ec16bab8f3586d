#include "cpu/conv_kernels.h"
#include "cpu/simd/transpose.h"
#include "cpu/simd/vec.h"

namespace minidl::cpu::MINIDL_ISA {
namespace {

// Points (or weights of a run) that a tile keeps in registers, times two vectors of channels: with
// two vectors of weight and one broadcast input they fill the 32 or 16 registers of the level.
constexpr int64_t kTileRows = kVectorBytes == 64 ? 14 : 6;

template <typename T>
void transpose_tail(int64_t rows, int64_t columns, const T* from, int64_t from_pitch, T* to,
                    int64_t to_pitch) {
  constexpr int64_t n = kLanes<T>;
  Vec<T> v[n];
#pragma GCC unroll 16
  for (int64_t i = 0; i < n; ++i) {
    v[i] = i < rows ? load_n(from + i * from_pitch, columns) : Vec<T>{};
  }
  transpose_square<T>(v);
#pragma GCC unroll 16
  for (int64_t i = 0; i < n; ++i) {
    if (i < columns) store_n(to + i * to_pitch, rows, v[i]);
  }
}

template <typename T>
void transpose(int64_t rows, int64_t columns, const T* from, int64_t from_pitch, T* to,
               int64_t to_pitch) {
  constexpr int64_t n = kLanes<T>;
  if (rows < 4 || columns < 4) {  // too little for vectors
    for (int64_t c = 0; c < columns; ++c) {
      for (int64_t r = 0; r < rows; ++r) to[c * to_pitch + r] = from[r * from_pitch + c];
    }
    return;
  }
  for (int64_t r = 0; r < rows; r += n) {
    for (int64_t c = 0; c < columns; c += n) {
      const T* const source = from + r * from_pitch + c;
      T* const target = to + c * to_pitch + r;
      if (rows - r < n || columns - c < n) {
        const int64_t height = rows - r < n ? rows - r : n,
                      width = columns - c < n ? columns - c : n;
        transpose_tail(height, width, source, from_pitch, target, to_pitch);
        continue;
      }
      Vec<T> v[n];
#pragma GCC unroll 16
      for (int64_t i = 0; i < n; ++i) v[i] = load(source + i * from_pitch);
      transpose_square<T>(v);
#pragma GCC unroll 16
      for (int64_t i = 0; i < n; ++i) store(target + i * to_pitch, v[i]);
    }
  }
}

// How many iterations ahead a kernel asks for its weights or points, which go on where no hardware
// foresees it, and whether that is worth it.
constexpr int64_t kAhead = 8;
template <int kRows>
constexpr bool kFetches = kVectorBytes == 64 && kRows >= 8;

// Where the points of a tile are; places of points that are too many repeat the last. The tile is
// number `piece` of `pieces` that read the same weights.
template <typename T>
struct TilePoints {
  int64_t count, piece, pieces;
  const T* inputs[kTileRows];
  T* outputs[kTileRows];
};

// sums[r] += the window of input r, each of which has an address of its own.
template <int kRows, int kVectors, typename T>
MINIDL_INLINE void add_windows(const ConvTiles<T>& job, const TilePoints<T>& points,
                               Vec<T> (&sums)[kRows][kVectors]) {
  constexpr int64_t n = kLanes<T>;
  const T* place[kRows];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) place[r] = points.inputs[r];
  const T* weight = job.weight;
  for (int64_t s = 0; s < job.segments; ++s) {
    const int64_t begin = job.offsets[s], end = begin + job.length;
    for (int64_t at = begin; at < end; ++at, weight += kVectors * n) {
      Vec<T> w[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) w[v] = load(weight + v * n);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        const Vec<T> x = splat(place[r][at]);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) sums[r][v] += x * w[v];
      }
    }
  }
}

// The same, in the same order, for points at equal distances: they are reached from every third
// one, which leaves registers to fetch ahead: weights and outputs of this tile, and its share of
// the weights of the next block, which follow these.
template <int kRows, int kVectors, typename T>
MINIDL_INLINE void add_even_windows(const ConvTiles<T>& job, const TilePoints<T>& points,
                                    Vec<T> (&sums)[kRows][kVectors]) {
  constexpr int64_t n = kLanes<T>, kBlock = kVectors * n;
  constexpr int kGroups = (kRows + 2) / 3;
  const int64_t apart = job.input_column, length = job.length, output_step = job.output_column;
  const int64_t share = (kBlock + points.pieces - 1) / points.pieces;
  const T *weight = job.weight, *output = points.outputs[0];
  const T* next = weight + job.segments * length * (kBlock + points.piece * share);
  const T* run[kGroups];
  const auto add = [&](int64_t count, bool fetches_outputs) __attribute__((always_inline)) {
    for (int64_t i = 0; i < count; ++i, weight += kBlock) {
      if constexpr (kFetches<kRows>) {
        __builtin_prefetch(next, 0, 2);
        next += share;
      }
      if (fetches_outputs) {
        __builtin_prefetch(output);
        output += output_step;
      }
      Vec<T> w[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        if constexpr (kFetches<kRows>) __builtin_prefetch(weight + kAhead * kBlock + v * n);
        w[v] = load(weight + v * n);
      }
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        const T* x = run[r / 3] + r % 3 * apart;
        const bool in_memory = kVectors == 2 && r % 3 == 0;
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) sums[r][v] = add_scaled(x, w[v], sums[r][v], in_memory);
      }
#pragma GCC unroll 16
      for (int g = 0; g < kGroups; ++g) ++run[g];
    }
  };
  for (int64_t s = 0; s < job.segments; ++s) {
#pragma GCC unroll 16
    for (int g = 0; g < kGroups; ++g) run[g] = points.inputs[0] + 3 * g * apart + job.offsets[s];
    int64_t fetched = 0;
    if constexpr (kFetches<kRows>) {
      fetched = s > 0 ? 0 : length < kRows ? length : kRows;
      add(fetched, true);
    }
    add(length - fetched, false);
  }
}

template <int kRows, int kVectors, typename T>
void tile(const ConvTiles<T>& job, const TilePoints<T>& points, bool even) {
  constexpr int64_t n = kLanes<T>;
  Vec<T> sums[kRows][kVectors];
#pragma GCC unroll 2
  for (int v = 0; v < kVectors; ++v) {
    const Vec<T> start = job.bias != nullptr ? load(job.bias + v * n) : Vec<T>{};
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) sums[r][v] = start;
  }
  if (even && points.count == kRows) {
    add_even_windows<kRows, kVectors>(job, points, sums);
  } else {
    add_windows<kRows, kVectors>(job, points, sums);
  }
  const bool whole = job.channels == kVectors * n;
  const int64_t last = job.channels - (kVectors - 1) * n;
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    if (r >= points.count) break;
    if constexpr (kVectors == 2) store(points.outputs[r], sums[r][0]);
    T* const end = points.outputs[r] + (kVectors - 1) * n;
    whole ? store(end, sums[r][kVectors - 1]) : store_n(end, last, sums[r][kVectors - 1]);
  }
}

// Cuts `size` into as few pieces of at most kTileRows as there can be, all but equally long; all
// but the last are even.
struct Cut {
  int64_t size, pieces;
  explicit Cut(int64_t whole) : size(whole), pieces((whole + kTileRows - 1) / kTileRows) {}
  int64_t begin(int64_t piece) const {
    return piece == pieces ? size : (size + 1) / 2 * piece / pieces * 2;
  }
};

// Calls body with the even number of rows, a constant, in which `count` fit.
template <typename Body>
MINIDL_INLINE void with_rows(int64_t count, const Body& body) {
  if constexpr (kTileRows == 14) {
    if (count > 12) return body.template operator()<14>();
    if (count > 10) return body.template operator()<12>();
    if (count > 8) return body.template operator()<10>();
    if (count > 6) return body.template operator()<8>();
  }
  if (count > 4) return body.template operator()<6>();
  if (count > 2) return body.template operator()<4>();
  body.template operator()<2>();
}

template <int kVectors, typename T>
void tiles_of(const ConvTiles<T>& job) {
  const Cut cut(job.rows * job.columns);
  const bool even = job.rows == 1 || (job.input_row == job.columns * job.input_column &&
                                      job.output_row == job.columns * job.output_column);
  int64_t row = 0, column = 0;
  for (int64_t piece = 0; piece < cut.pieces; ++piece) {
    const int64_t count = cut.begin(piece + 1) - cut.begin(piece);
    TilePoints<T> points{count, piece, cut.pieces, {}, {}};
    const T* place = nullptr;
    T* output = nullptr;
    for (int64_t r = 0; r < kTileRows; ++r) {
      if (r < count) {
        place = job.input + row * job.input_row + column * job.input_column;
        output = job.output + row * job.output_row + column * job.output_column;
        const bool wrap = column + 1 == job.columns;
        row += wrap;
        column = wrap ? 0 : column + 1;
      }
      points.inputs[r] = place;
      points.outputs[r] = output;
    }
    with_rows(count, [&]<int kRows>() { tile<kRows, kVectors>(job, points, even); });
  }
}

template <typename T>
void tiles(const ConvTiles<T>& job, bool wide) {
  wide ? tiles_of<2>(job) : tiles_of<1>(job);
}

template <int kRows, int kVectors, typename T>
void weight_tile(const ConvWeightTiles<T>& job, int64_t first, int64_t count) {
  constexpr int64_t n = kLanes<T>;
  Vec<T> sums[kRows][kVectors] = {};
  for (int64_t line = 0; line < job.images * job.rows; ++line) {
    const int64_t image = line / job.rows, row = line % job.rows;
    const T* input = job.input + image * job.input_image + row * job.input_row + first;
    const T* grad = job.grad + image * job.grad_image + row * job.grad_row;
    for (int64_t column = 0; column < job.columns; ++column) {
      Vec<T> g[kVectors];
      if constexpr (kFetches<kRows>) __builtin_prefetch(input + kAhead * job.input_column);
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        if constexpr (kFetches<kRows>) __builtin_prefetch(grad + kAhead * job.grad_column + v * n);
        g[v] = load(grad + v * n);
      }
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        const bool in_memory = kVectors == 2 && r % 2 == 0;
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) {
          sums[r][v] = add_scaled(input + r, g[v], sums[r][v], in_memory);
        }
      }
      input += job.input_column;
      grad += job.grad_column;
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    if (r >= count) break;
    T* const to = job.sums + (first + r) * kVectors * n;
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) store(to + v * n, load(to + v * n) + sums[r][v]);
  }
}

template <int kVectors, typename T>
void weight_tiles_of(const ConvWeightTiles<T>& job) {
  const Cut cut(job.length);
  for (int64_t piece = 0; piece < cut.pieces; ++piece) {
    const int64_t first = cut.begin(piece), count = cut.begin(piece + 1) - first;
    with_rows(count, [&]<int kRows>() { weight_tile<kRows, kVectors>(job, first, count); });
  }
}

template <typename T>
void weight_tiles(const ConvWeightTiles<T>& job, bool wide) {
  wide ? weight_tiles_of<2>(job) : weight_tiles_of<1>(job);
}

}  // namespace

MINIDL_FILL_TABLES(ConvKernels, conv_kernels, .lanes = kLanes<T>, .block = 2 * kLanes<T>,
                   .transpose = &transpose<T>, .tiles = &tiles<T>, .weight_tiles = &weight_tiles<T>)

}  // namespace minidl::cpu::MINIDL_ISA
