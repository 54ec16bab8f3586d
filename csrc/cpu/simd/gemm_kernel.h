// The micro-kernel of matrix products: a tile of C, held in registers, takes the products of a few
// rows of A and two vectors of columns of B over a stretch of the depth.
//
// v4 has 32 vector registers: 14 x 2 sums, two vectors of B and one element of A, spread over all
// lanes, fill 31 of them. v2 and v3 have 16: 6 x 2 sums. Every smaller count of rows and vectors
// has a kernel of its own, so that the edges of a matrix cost what they hold.
#pragma once

#include <utility>

#include "cpu/gemm.h"
#include "cpu/simd/erf.h"
#include "cpu/simd/math.h"
#include "cpu/simd/vec.h"

namespace minidl::cpu::MINIDL_ISA {

template <typename T>
struct Tile {
#if defined(__AVX512F__)
  static constexpr int kRows = 14;
#else
  static constexpr int kRows = 6;
#endif
  static constexpr int kVecs = 2;
  static constexpr int64_t kCols = kVecs * kLanes<T>;
};

// Where the sums of a tile go: c[i * ldc + j] = add[i * add_row + j] + sum(i, j), for j < cols.
// `add` is null, C itself, or a row that all rows share (add_row = 0). While the tile runs, what
// the next tiles need moves into the second cache: the lines of next + k * next_step, k < depth.
template <typename T>
struct TileOut {
  T* c;
  int64_t ldc, cols;
  const T* add;
  int64_t add_row;
  const T* next;
  int64_t next_step = 0;
};

// Element (i, k) of A is a[i + k * a_stride], or a[i * a_stride + k] where kByRows; b[k * b_step]
// starts 1 or 2 whole vectors of row k of B. Lanes from out.cols on are computed and dropped.
template <typename T>
using TileKernel = void (*)(int64_t depth, const T* a, int64_t a_stride, const T* b, int64_t b_step,
                            const TileOut<T>& out);

// One row of sums: kWhole, all lanes of it.
template <bool kWhole, bool kAdds, int kVecs, typename T>
MINIDL_INLINE void store_row(const TileOut<T>& out, int64_t i, const Vec<T> (&sum)[kVecs]) {
  T* c = out.c + i * out.ldc;
  const T* add = out.add + i * out.add_row;
#pragma GCC unroll 2
  for (int v = 0; v < kVecs; ++v) {
    const int64_t first = v * kLanes<T>;
    if constexpr (kWhole) {
      store(c + first, kAdds ? load(add + first) + sum[v] : sum[v]);
    } else {
      const int64_t left = out.cols - first;
      const int64_t n = left < 0 ? 0 : left < kLanes<T> ? left : kLanes<T>;
      store_n(c + first, n, kAdds ? load_n(add + first, n) + sum[v] : sum[v]);
    }
  }
}

// Asks for what iteration k + kAhead reads. A panel of B, one of A and C together overflow the
// first cache, and no hardware foresees where the panels go on.
template <int kVecs, bool kByRows, typename T>
MINIDL_INLINE void fetch_ahead(const T* a, int64_t a_stride, const T* b, int64_t b_step) {
  constexpr int64_t kAhead = 8;
  __builtin_prefetch(b + kAhead * b_step);
  if constexpr (kVecs == 2) __builtin_prefetch(b + kAhead * b_step + kLanes<T>);
  if constexpr (!kByRows) __builtin_prefetch(a + kAhead * a_stride);
}

template <int kRows, int kVecs, bool kByRows, typename T>
void multiply_tile(int64_t depth, const T* a, int64_t a_stride, const T* b, int64_t b_step,
                   const TileOut<T>& out) {
  Vec<T> sum[kRows][kVecs] = {};
  // Rows that lie apart are reached from every third one: x86 addresses p, p + s and p + 2 s, and
  // has too few registers for a pointer a row.
  constexpr int kGroups = kByRows ? (kRows + 2) / 3 : 1;
  const T* left[kGroups];
#pragma GCC unroll 16
  for (int g = 0; g < kGroups; ++g) left[g] = a + 3 * g * a_stride;
  // Worth it where an iteration is long and reads whole cache lines.
  constexpr bool kFetches = kVectorBytes == 64 && kRows >= 8;
  const T* next = out.next;
  const T* row = out.c;  // of C: one an iteration, as all at once would keep the loads waiting
  const int64_t next_step = out.next_step;
  int64_t k = 0;
  const auto run_to = [&](int64_t end, bool fetches_rows) __attribute__((always_inline)) {
    for (; k < end; ++k) {
      if constexpr (kFetches) {
        fetch_ahead<kVecs, kByRows>(left[0], a_stride, b, b_step);
        __builtin_prefetch(next, 0, 2);
        next += next_step;
      }
      if (fetches_rows) {
        __builtin_prefetch(row);
        if constexpr (kVecs == 2) __builtin_prefetch(row + kLanes<T>);
        row += out.ldc;
      }
      Vec<T> right[kVecs];
#pragma GCC unroll 2
      for (int v = 0; v < kVecs; ++v) right[v] = load(b + v * kLanes<T>);
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
        const T* x = kByRows ? left[i / 3 % kGroups] + i % 3 * a_stride : left[0] + i;
        const bool in_memory = kVecs == 2 && (kByRows ? i % 3 == 0 : i % 2 == 0);
#pragma GCC unroll 2
        for (int v = 0; v < kVecs; ++v) sum[i][v] = add_scaled(x, right[v], sum[i][v], in_memory);
      }
#pragma GCC unroll 16
      for (int g = 0; g < kGroups; ++g) left[g] += kByRows ? 1 : a_stride;
      b += b_step;
    }
  };
  if constexpr (kFetches) run_to(depth < kRows ? depth : kRows, true);
  run_to(depth, false);
  const bool whole = out.cols == kVecs * kLanes<T>;
  if (out.add == nullptr && whole) {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) store_row<true, false, kVecs>(out, i, sum[i]);
  } else if (whole) {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) store_row<true, true, kVecs>(out, i, sum[i]);
  } else if (out.add == nullptr) {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) store_row<false, false, kVecs>(out, i, sum[i]);
  } else {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) store_row<false, true, kVecs>(out, i, sum[i]);
  }
}

template <typename T>
struct TileKernels {
  TileKernel<T> of[2][Tile<T>::kVecs][Tile<T>::kRows];  // [by rows][vectors - 1][rows - 1]
};

template <typename T, int... rows>
constexpr TileKernels<T> all_tile_kernels(std::integer_sequence<int, rows...>) {
  return {{{{&multiply_tile<rows + 1, 1, false, T>...}, {&multiply_tile<rows + 1, 2, false, T>...}},
           {{&multiply_tile<rows + 1, 1, true, T>...}, {&multiply_tile<rows + 1, 2, true, T>...}}}};
}

template <typename T>
constexpr TileKernels<T> kTileKernels =
    all_tile_kernels<T>(std::make_integer_sequence<int, Tile<T>::kRows>{});

// The last touch to a tile of C, which is still in the first cache: c = f(c + bias).
template <typename T, typename F>
MINIDL_INLINE void finish_rows(int64_t rows, int64_t cols, T* c, int64_t ldc, const T* bias,
                               const T* row_bias, const F& f) {
  constexpr int64_t L = kLanes<T>;
  for (int64_t i = 0; i < rows; ++i, c += ldc) {
    const Vec<T> shift = splat(row_bias == nullptr ? T(0) : row_bias[i]);
    for (int64_t j = 0; j < cols; j += L) {
      const int64_t n = cols - j < L ? cols - j : L;
      Vec<T> x = (n == L ? load(c + j) : load_n(c + j, n)) + shift;
      if (bias != nullptr) x += n == L ? load(bias + j) : load_n(bias + j, n);
      x = f(x);
      n == L ? store(c + j, x) : store_n(c + j, n, x);
    }
  }
}

template <typename T>
void finish_tile(int64_t rows, int64_t cols, T* c, int64_t ldc, const T* bias, const T* row_bias,
                 FusedActivation activation) {
  const auto run = [&](const auto& f) { finish_rows(rows, cols, c, ldc, bias, row_bias, f); };
  switch (activation) {
    case FusedActivation::none:
      return run([](Vec<T> x) { return x; });
    case FusedActivation::relu:
      return run([](Vec<T> x) { return x < T(0) ? Vec<T>{} : x; });  // NaN stays
    case FusedActivation::sigmoid:
      return run([](Vec<T> x) { return sigmoid(x); });
    case FusedActivation::tanh:
      return run([](Vec<T> x) { return tanh(x); });
    case FusedActivation::silu:
      return run([](Vec<T> x) { return x * sigmoid(x); });
    case FusedActivation::gelu:
      return run([](Vec<T> x) { return x * normal(x).below; });
  }
}

}  // namespace minidl::cpu::MINIDL_ISA
