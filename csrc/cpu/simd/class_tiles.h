// Walks [outer, classes, inner] arrays so that the class axis is reduced with whole vectors both
// where it is the last axis (inner = 1) and where it is not.
//
// A tile is one row of contiguous classes, kChains short rows, or up to kChains vectors of
// neighbouring columns of one outer slice. Kernels are written once for all: a quantity of a row or
// column lives in Slots, and a tile knows what a reduction over its classes means. In a long row
// the slots are parts of one sum, in short rows each row has its slot (one row alone would wait for
// its maximum, then its sum, then its logarithm), in columns each vector.
#pragma once

#include <limits>

#include "cpu/simd/moments.h"
#include "cpu/softmax.h"
#include "cpu/thread_pool.h"

namespace minidl::cpu::MINIDL_ISA {

template <typename T>
using Slots = Chains<T>;

template <typename T>
inline constexpr T kLowest = -std::numeric_limits<T>::infinity();

template <typename T>
MINIDL_INLINE Slots<T> all_slots(T value) {
  const Vec<T> v = splat(value);
  return {{v, v, v, v}};
}

// One row of contiguous classes.
template <typename T>
struct RowTile {
  int64_t classes;
  static constexpr int64_t width = 1;  // rows or columns

  // Where the class c of row or column j is.
  MINIDL_INLINE int64_t at(int64_t c, int64_t) const { return c; }

  // body(offset, lanes, slot, c): a vector of elements at `offset`, of the classes from c on
  template <typename Body>
  MINIDL_INLINE void each(const Body& body) const {
    sweep<T>(classes, [&](int64_t i, auto lanes, auto slot) { body(i, lanes, slot, i); });
  }
  // The sums of term(offset, lanes, slot, c), which is 0 in the lanes beyond the row.
  template <typename Term>
  MINIDL_INLINE Slots<T> sums(const Term& term) const {
    double total = 0;
    for (int64_t begin = 0; begin < classes; begin += kSumBlock) {
      Slots<T> part;
      sweep<T>(smaller(kSumBlock, classes - begin), [&](int64_t i, auto lanes, auto slot) {
        part[slot] += term(begin + i, lanes, slot, begin + i);
      });
      total += part.sum();
    }
    return all_slots(static_cast<T>(total));
  }
  MINIDL_INLINE Slots<T> maximum(const Slots<T>& found) const {
    const Vec<T> low = max_or_b(found.of[0], found.of[1]),
                 high = max_or_b(found.of[2], found.of[3]);
    return all_slots(max_lanes<T>(max_or_b(low, high)));
  }
  // f of what a reduction gave
  template <typename F>
  MINIDL_INLINE Slots<T> map(const Slots<T>& slots, const F& f) const {
    const Vec<T> v = f(slots.of[0]);
    return {{v, v, v, v}};
  }
  template <typename Lanes>
  MINIDL_INLINE Vec<T> by_class(const T* weight, int64_t c, Lanes lanes) const {
    return load(weight + c, lanes);
  }
  MINIDL_INLINE void unpack(const Slots<T>& slots, T* values) const { values[0] = slots.of[0][0]; }
  MINIDL_INLINE Slots<T> pack(const T* values) const { return all_slots(values[0]); }
};

// kChains rows of up to kShortRow contiguous classes, one after the other.
inline constexpr int64_t kShortRow = 1024;

template <typename T>
struct ShortRowsTile {
  int64_t classes;
  static constexpr int64_t width = kChains;

  MINIDL_INLINE int64_t at(int64_t c, int64_t j) const { return j * classes + c; }

  template <typename Body>
  MINIDL_INLINE void across(int64_t i, const Body& body, auto lanes) const {
    body(i, lanes, Chain<0>{}, i);
    body(classes + i, lanes, Chain<1>{}, i);
    body(2 * classes + i, lanes, Chain<2>{}, i);
    body(3 * classes + i, lanes, Chain<3>{}, i);
  }
  template <typename Body>
  MINIDL_INLINE void each(const Body& body) const {
    int64_t i = 0;
    for (; i + kLanes<T> <= classes; i += kLanes<T>) across(i, body, Whole{});
    if (i < classes) across(i, body, Part{classes - i});
  }
  template <typename Term>
  MINIDL_INLINE Slots<T> sums(const Term& term) const {
    Slots<T> total;
    each([&](int64_t i, auto lanes, auto slot, int64_t c) {
      total[slot] += term(i, lanes, slot, c);
    });
    for (auto& sum : total.of) sum = splat(sum_lanes<T>(sum));
    return total;
  }
  MINIDL_INLINE Slots<T> maximum(Slots<T> found) const {
    for (auto& max : found.of) max = splat(max_lanes<T>(max));
    return found;
  }
  // One vector holds what f is asked of all rows.
  template <typename F>
  MINIDL_INLINE Slots<T> map(const Slots<T>& slots, const F& f) const {
    T values[kChains * kLanes<T>] = {};
    unpack(slots, values);
    for (int64_t i = 0; i < kChains; i += kLanes<T>) store(values + i, f(load(values + i)));
    return pack(values);
  }
  template <typename Lanes>
  MINIDL_INLINE Vec<T> by_class(const T* weight, int64_t c, Lanes lanes) const {
    return load(weight + c, lanes);
  }
  MINIDL_INLINE void unpack(const Slots<T>& slots, T* values) const {
    for (int k = 0; k < kChains; ++k) values[k] = slots.of[k][0];
  }
  MINIDL_INLINE Slots<T> pack(const T* values) const {
    return {{splat(values[0]), splat(values[1]), splat(values[2]), splat(values[3])}};
  }
};

// `Count` vectors of neighbouring columns, `lanes` of each; class c lies c * inner further.
template <typename T, int Count, typename Lanes>
struct ColumnTile {
  int64_t classes, inner, width;
  Lanes lanes;

  MINIDL_INLINE int64_t at(int64_t c, int64_t j) const { return c * inner + j; }

  template <typename Body, int... I>
  MINIDL_INLINE void across(int64_t c, const Body& body, std::integer_sequence<int, I...>) const {
    (body(c * inner + I * kLanes<T>, lanes, Chain<I>{}, c), ...);
  }
  template <typename Body>
  MINIDL_INLINE void each(const Body& body) const {
    for (int64_t c = 0; c < classes; ++c) {
      across(c, body, std::make_integer_sequence<int, Count>{});
    }
  }
  template <typename Term>
  MINIDL_INLINE Slots<T> sums(const Term& term) const {
    constexpr int64_t kBlock = 128;  // sums of sums: rounding errors grow with the root of classes
    Slots<T> total;
    for (int64_t begin = 0; begin < classes; begin += kBlock) {
      Slots<T> part;
      const int64_t end = smaller(classes, begin + kBlock);
      const auto add = [&](int64_t i, auto live, auto slot, int64_t c) {
        part[slot] += term(i, live, slot, c);
      };
      for (int64_t c = begin; c < end; ++c) {
        across(c, add, std::make_integer_sequence<int, Count>{});
      }
      for (int k = 0; k < Count; ++k) total.of[k] += part.of[k];
    }
    return total;
  }
  MINIDL_INLINE Slots<T> maximum(const Slots<T>& found) const { return found; }
  template <typename F>
  MINIDL_INLINE Slots<T> map(const Slots<T>& slots, const F& f) const {
    Slots<T> mapped;
    for (int k = 0; k < Count; ++k) mapped.of[k] = f(slots.of[k]);
    return mapped;
  }
  template <typename Live>
  MINIDL_INLINE Vec<T> by_class(const T* weight, int64_t c, Live) const {
    return splat(weight[c]);
  }
  MINIDL_INLINE void unpack(const Slots<T>& slots, T* values) const {
    for (int k = 0; k < Count; ++k) store(values + k * kLanes<T>, slots.of[k]);
  }
  MINIDL_INLINE Slots<T> pack(const T* values) const {
    Slots<T> slots;
    for (int k = 0; k < Count; ++k) slots.of[k] = load(values + k * kLanes<T>);
    return slots;
  }
};

// Columns of the widest tile: what arrays for pack and unpack hold.
template <typename T>
inline constexpr int64_t kTileWidth = kChains * kLanes<T>;

inline constexpr int64_t kTileGrain = 1 << 14;  // elements a piece

// The columns [first, inner) of one outer slice as tiles.
template <typename T, typename Body>
MINIDL_INLINE void column_tiles(const Rows& rows, int64_t outer, int64_t first, int64_t end,
                                const Body& body) {
  const int64_t slice = outer * rows.classes * rows.inner, row = outer * rows.inner;
  constexpr int64_t step = kLanes<T>;
  int64_t j = first;
  for (; j + kTileWidth<T> <= end; j += kTileWidth<T>) {
    body(ColumnTile<T, kChains, Whole>{rows.classes, rows.inner, kTileWidth<T>, {}}, slice + j,
         row + j);
  }
  for (; j + step <= end; j += step) {
    body(ColumnTile<T, 1, Whole>{rows.classes, rows.inner, step, {}}, slice + j, row + j);
  }
  if (j < end) {
    body(ColumnTile<T, 1, Part>{rows.classes, rows.inner, end - j, {end - j}}, slice + j, row + j);
  }
}

// Calls body(tile, offset, row) for every tile: `offset` is that of its first element in the array,
// `row` that of its first row or column in [outer, inner].
template <typename T, typename Body>
MINIDL_INLINE void for_tiles(const Rows& rows, const Body& body) {
  if (rows.count() * rows.classes == 0) return;
  if (rows.inner == 1) {
    const int64_t grain = larger(1, kTileGrain / rows.classes);
    parallel_for(rows.outer, grain, [&](int64_t begin, int64_t end) {
      int64_t row = begin;
      if (rows.classes <= kShortRow) {
        for (; row + kChains <= end; row += kChains) {
          body(ShortRowsTile<T>{rows.classes}, row * rows.classes, row);
        }
      }
      for (; row < end; ++row) body(RowTile<T>{rows.classes}, row * rows.classes, row);
    });
    return;
  }
  const int64_t across = (rows.inner - 1) / kTileWidth<T> + 1;
  const int64_t elements = rows.classes * smaller(rows.inner, kTileWidth<T>);
  const int64_t grain = larger(1, kTileGrain / elements);
  parallel_for(rows.outer * across, grain, [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; ++index) {
      const int64_t first = index % across * kTileWidth<T>;
      column_tiles<T>(rows, index / across, first, smaller(rows.inner, first + kTileWidth<T>),
                      body);
    }
  });
}

// The largest element of every row or column; NaN may be passed over: whoever subtracts the maximum
// meets it again.
template <typename T, typename Tile>
MINIDL_INLINE Slots<T> class_maximum(const Tile& tile, const T* x) {
  Slots<T> max = all_slots(kLowest<T>);
  tile.each([&](int64_t i, auto lanes, auto slot, int64_t) {
    max[slot] = max_or_b(load(x + i, lanes, kLowest<T>), max[slot]);
  });
  return tile.maximum(max);
}

}  // namespace minidl::cpu::MINIDL_ISA
