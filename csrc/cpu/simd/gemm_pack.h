// Packing: lines of a matrix (rows of A, columns of B), a panel of kPanel of them side by side, so
// that the micro-kernel reads one panel front to back: packed[p][k][line], the last panel padded
// with zeros.
#pragma once

#include <utility>

#include "cpu/simd/vec.h"

namespace minidl::cpu::MINIDL_ISA {

// Element k of line l is data[l * line + k * step]. Any strides, zero and negative ones too.
template <typename T>
struct Lines {
  const T* data;
  int64_t line, step;
  Lines from(int64_t l, int64_t k) const { return {data + l * line + k * step, line, step}; }
};

// The lower (kHigh = 0) or upper halves of two vectors, interleaved.
template <int64_t kHigh, typename T, int... i>
MINIDL_INLINE Vec<T> interleave(Vec<T> a, Vec<T> b, std::integer_sequence<int, i...>) {
  constexpr int L = static_cast<int>(kLanes<T>);
  return __builtin_shufflevector(a, b, (static_cast<int>(kHigh) * L / 2 + i / 2 + i % 2 * L)...);
}

// v[i][j] becomes v[j][i]. Interleaving the first half of the vectors with the second moves the top
// bit of the row to the bottom of the column; after log2(lanes) rounds all bits have changed sides.
template <typename T>
MINIDL_INLINE void transpose(Vec<T> (&v)[kLanes<T>]) {
  constexpr int L = static_cast<int>(kLanes<T>);
  constexpr auto lanes = std::make_integer_sequence<int, L>{};
#pragma GCC unroll 4
  for (int round = 1; round < L; round *= 2) {
    Vec<T> w[L];
#pragma GCC unroll 16
    for (int i = 0; i < L / 2; ++i) {
      w[2 * i] = interleave<0, T>(v[i], v[i + L / 2], lanes);
      w[2 * i + 1] = interleave<1, T>(v[i], v[i + L / 2], lanes);
    }
#pragma GCC unroll 16
    for (int i = 0; i < L; ++i) v[i] = w[i];
  }
}

// Lines that run along memory (step = 1): one vector of them, `count` present, goes to offset
// `lane` of the panel in transposed blocks of lanes x lanes.
template <int64_t kPanel, typename T>
void pack_transposed(const Lines<T>& from, int64_t count, int64_t depth, int64_t lane, T* out) {
  constexpr int64_t L = kLanes<T>;
  const int64_t width = kPanel - lane < L ? kPanel - lane : L;
  for (int64_t k = 0; k < depth; k += L) {
    const int64_t n = depth - k < L ? depth - k : L;
    Vec<T> v[L];
    if (n == L && count == L) {
#pragma GCC unroll 16
      for (int64_t l = 0; l < L; ++l) v[l] = load(from.data + l * from.line + k);
    } else {
#pragma GCC unroll 16
      for (int64_t l = 0; l < L; ++l) {
        v[l] = l >= count ? Vec<T>{}
               : n == L   ? load(from.data + l * from.line + k)
                          : load_n(from.data + l * from.line + k, n);
      }
    }
    transpose<T>(v);
    T* to = out + k * kPanel + lane;
    // A vector wider than what is left of the panel spills into the next k, whose first lanes are
    // written later; after the last k lies another panel, maybe another thread's.
    if (n == L && (width == L || k + L < depth)) {
#pragma GCC unroll 16
      for (int64_t i = 0; i < L; ++i) store(to + i * kPanel, v[i]);
    } else {
#pragma GCC unroll 16
      for (int64_t i = 0; i < L; ++i) {
        if (i < n) store_n(to + i * kPanel, width, v[i]);
      }
    }
  }
}

// Lines that are neighbours in memory (line = 1): a row of a panel is a piece of a row of the
// matrix. `panels` of them at once, so that memory is read in runs; the last has `count` lines.
template <int64_t kPanel, typename T>
void pack_adjacent(const Lines<T>& from, int64_t panels, int64_t count, int64_t depth, T* out) {
  constexpr int64_t L = kLanes<T>;
  for (int64_t k = 0; k < depth; ++k) {
    const T* row = from.data + k * from.step;
    T* to = out + k * kPanel;
    for (int64_t p = 0; p < panels; ++p, row += kPanel, to += kPanel * depth) {
      const int64_t present = p == panels - 1 ? count : kPanel;
#pragma GCC unroll 4
      for (int64_t lane = 0; lane < kPanel; lane += L) {
        const int64_t left = present - lane, width = kPanel - lane < L ? kPanel - lane : L;
        const Vec<T> v = left >= L ? load(row + lane) : load_n(row + lane, left > 0 ? left : 0);
        width == L ? store(to + lane, v) : store_n(to + lane, width, v);
      }
    }
  }
}

// One panel: the first `count` (1 to kPanel) lines, `depth` elements of each.
template <int64_t kPanel, typename T>
void pack_panel(const Lines<T>& from, int64_t count, int64_t depth, T* out) {
  constexpr int64_t L = kLanes<T>;
  if (from.line == 1) return pack_adjacent<kPanel>(from, 1, count, depth, out);
  if (from.step == 1) {
    for (int64_t lane = (kPanel - 1) / L * L; lane >= 0; lane -= L) {  // see the spill above
      const int64_t left = count - lane;
      pack_transposed<kPanel>(from.from(lane, 0),
                              left < 0   ? 0
                              : left < L ? left
                                         : L,
                              depth, lane, out);
    }
    return;
  }
  for (int64_t k = 0; k < depth; ++k) {
    for (int64_t l = 0; l < kPanel; ++l) {
      out[k * kPanel + l] = l < count ? from.data[l * from.line + k * from.step] : T(0);
    }
  }
}

template <int64_t kPanel, typename T>
void pack_panels(const Lines<T>& from, int64_t count, int64_t depth, T* out) {
  const int64_t together = from.line == 1 ? 8 : 1;
  for (int64_t first = 0; first < count; first += together * kPanel) {
    const int64_t left = count - first;
    const int64_t n = left < together * kPanel ? left : together * kPanel;
    const Lines<T> lines = from.from(first, 0);
    if (from.line == 1) {
      const int64_t panels = (n + kPanel - 1) / kPanel;
      pack_adjacent<kPanel>(lines, panels, n - (panels - 1) * kPanel, depth, out + first * depth);
    } else {
      pack_panel<kPanel>(lines, n, depth, out + first * depth);
    }
  }
}

}  // namespace minidl::cpu::MINIDL_ISA
