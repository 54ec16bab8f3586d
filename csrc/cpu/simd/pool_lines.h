// What pooling along contiguous lines is made of: vectors of every stride-th element, the ends of a
// line, and how planes of lines become tasks.
#pragma once

#include <algorithm>
#include <utility>

#include "cpu/simd/vec.h"
#include "cpu/simd/workspace.h"
#include "cpu/thread_pool.h"

namespace minidl::cpu::MINIDL_ISA {

MINIDL_INLINE int64_t ceil_quotient(int64_t a, int64_t b) {
  return a >= 0 ? (a + b - 1) / b : -(-a / b);
}
MINIDL_INLINE int64_t floor_quotient(int64_t a, int64_t b) {
  return a >= 0 ? a / b : -((b - 1 - a) / b);
}
MINIDL_INLINE int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

// Whether [at, at + count) lies in [0, width).
MINIDL_INLINE bool is_inside(int64_t at, int64_t count, int64_t width) {
  return at >= 0 && at + count <= width;
}

// Which of the lanes at positions at, at + 1, ... lie in [0, width): [begin, end).
template <typename T>
struct InsideLanes {
  int64_t begin, end;

  MINIDL_INLINE InsideLanes(int64_t at, int64_t width)
      : begin(std::clamp<int64_t>(-at, 0, kLanes<T>)),
        end(std::clamp<int64_t>(width - at, begin, kLanes<T>)) {}

  MINIDL_INLINE uint32_t mask() const { return ((1u << end) - 1) & ~((1u << begin) - 1); }
};

// Lanes of line[at .. at + kLanes<T>) that lie in [0, width), the others `rest`.
template <typename T>
MINIDL_INLINE Vec<T> load_inside(const T* line, int64_t at, int64_t width, T rest) {
  if (is_inside(at, kLanes<T>, width)) return load(line + at);
  const InsideLanes<T> lanes(at, width);
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    return reinterpret_cast<Vec<T>>(_mm512_mask_loadu_ps(
        reinterpret_cast<__m512>(splat(rest)), static_cast<__mmask16>(lanes.mask()), line + at));
  } else {
    return reinterpret_cast<Vec<T>>(_mm512_mask_loadu_pd(
        reinterpret_cast<__m512d>(splat(rest)), static_cast<__mmask8>(lanes.mask()), line + at));
  }
#else
  T inside[kLanes<T>];
  for (int64_t i = 0; i < kLanes<T>; ++i) inside[i] = rest;
  for (int64_t i = lanes.begin; i < lanes.end; ++i) inside[i] = line[at + i];
  return load(inside);
#endif
}

// Stores the lanes that lie inside.
template <typename T>
MINIDL_INLINE void store_inside(T* line, int64_t at, int64_t width, Vec<T> v) {
  if (is_inside(at, kLanes<T>, width)) return store(line + at, v);
  const InsideLanes<T> lanes(at, width);
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    _mm512_mask_storeu_ps(line + at, static_cast<__mmask16>(lanes.mask()),
                          reinterpret_cast<__m512>(v));
  } else {
    _mm512_mask_storeu_pd(line + at, static_cast<__mmask8>(lanes.mask()),
                          reinterpret_cast<__m512d>(v));
  }
#else
  T inside[kLanes<T>];
  store(inside, v);
  for (int64_t i = lanes.begin; i < lanes.end; ++i) line[at + i] = inside[i];
#endif
}

// Lanes 0, 2, 4, ... of the 2 kLanes<T> elements in a, b.
template <typename T>
MINIDL_INLINE Vec<T> every_other(Vec<T> a, Vec<T> b) {
  return [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
    return __builtin_shufflevector(a, b, (2 * I)...);
  }
  (std::make_integer_sequence<int, static_cast<int>(kLanes<T>)>{});
}

// Half kHalf of a[0], b[0], a[1], b[1], ...
template <typename T, int kHalf>
MINIDL_INLINE Vec<T> alternate(Vec<T> a, Vec<T> b) {
  constexpr int lanes = static_cast<int>(kLanes<T>), first = kHalf * lanes / 2;
  return [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
    return __builtin_shufflevector(a, b, (first + I / 2 + I % 2 * lanes)...);
  }
  (std::make_integer_sequence<int, lanes>{});
}

// Elements at, at + stride, at + 2 stride, ... of a line that lie in [0, width), the others `rest`.
// kStride: the stride, or 0 where it is only known at run time.
// Only the first `used` lanes matter.
template <int kStride, typename T>
MINIDL_INLINE Vec<T> load_steps(const T* line, int64_t at, int64_t stride, int64_t width, T rest,
                                int64_t used) {
  constexpr int64_t lanes = kLanes<T>;
  (void)used;
  if constexpr (kStride == 1) {
    return load_inside(line, at, width, rest);
  } else if constexpr (kStride == 2) {
    return every_other<T>(load_inside(line, at, width, rest),
                          load_inside(line, at + lanes, width, rest));
  } else {
    T steps[lanes] = {};
    for (int64_t i = 0; i < used; ++i) {
      const int64_t from = at + i * stride;
      steps[i] = from >= 0 && from < width ? line[from] : rest;
    }
    return load(steps);
  }
}

// Walks through lines (z, y) of planes that are `height` lines high.
struct LineWalk {
  int64_t height, z, y;

  LineWalk(int64_t height, int64_t line) : height(height), z(line / height), y(line % height) {}
  void next() {
    if (++y == height) y = 0, ++z;
  }
};

// Planes of `lines` lines of `width` elements, worked on in units: a band of lines of one tile of
// columns of one plane. All units of a tile follow each other.
struct Units {
  int64_t planes, lines, width;
  int64_t tile, band;  // largest extents of a unit
  int64_t bands, count, grain;

  // A task has about `task` elements.
  Units(int64_t planes, int64_t lines, int64_t width, int64_t most, int64_t task)
      : planes(planes), lines(lines), width(width), tile(std::clamp<int64_t>(width, 1, most)) {
    band = std::max<int64_t>(1, task / tile);
    bands = ceil_quotient(lines, band);
    count = ceil_quotient(width, tile) * planes * bands;
    grain = std::max<int64_t>(1, task / (tile * std::max<int64_t>(1, std::min(band, lines))));
  }

  // Calls body(x0, x1, each_band) for tiles of columns, some several times; each_band(work) calls
  // work(plane, first line, end) for bands of lines.
  template <typename Body>
  MINIDL_INLINE void run(const Body& body) const {
    parallel_for(count, grain, [&](int64_t index, int64_t end) {
      while (index < end) {
        const int64_t tile_at = index / (planes * bands), x0 = tile_at * tile;
        const int64_t stop = std::min(end, (tile_at + 1) * planes * bands);
        body(x0, std::min(width, x0 + tile), [&](const auto& work) {
          for (; index < stop; ++index) {
            const int64_t band_at = index % bands, plane = index / bands % planes;
            work(plane, band_at * band, std::min(lines, (band_at + 1) * band));
          }
        });
      }
    });
  }
};

}  // namespace minidl::cpu::MINIDL_ISA
