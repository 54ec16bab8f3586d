#include "cpu/reductions.h"

#include <algorithm>
#include <limits>

#include "cpu/simd/vec.h"
#include "cpu/simd/workspace.h"
#include "cpu/thread_pool.h"

namespace minidl::cpu::MINIDL_ISA {
namespace {

constexpr int64_t kTask = 1 << 15;  // elements of a task: a few microseconds
constexpr int64_t kBlock = 512;     // columns that are reduced side by side
constexpr int64_t kSteps = 16;      // operations on one lane of T before the result joins a double
constexpr int64_t kFewUnits = 8;    // with fewer, the reduced axis is cut too
constexpr int64_t kMostSlices = 64;

// What is taken of each element, how two results are combined, from where on, and in what type.
struct AsIs {
  template <typename V>
  static MINIDL_INLINE V take(V x) {
    return x;
  }
};
struct Sum : AsIs {
  template <typename T>
  using Acc = double;
  template <typename A>
  static constexpr A start = A(0);
  template <typename V>
  static MINIDL_INLINE V combine(V a, V b) {
    return a + b;
  }
};
struct SumOfSquares : Sum {
  template <typename V>
  static MINIDL_INLINE V take(V x) {
    return x * x;
  }
};
struct Product : AsIs {
  template <typename T>
  using Acc = double;
  template <typename A>
  static constexpr A start = A(1);
  template <typename V>
  static MINIDL_INLINE V combine(V a, V b) {
    return a * b;
  }
};
struct Largest : AsIs {
  template <typename T>
  using Acc = T;
  template <typename A>
  static constexpr A start = -std::numeric_limits<A>::infinity();
  template <typename V>
  static MINIDL_INLINE V combine(V a, V b) {
    const V larger = b > a ? b : a;  // a NaN in a stays
    return b != b ? b : larger;
  }
};
struct Smallest : AsIs {
  template <typename T>
  using Acc = T;
  template <typename A>
  static constexpr A start = std::numeric_limits<A>::infinity();
  template <typename V>
  static MINIDL_INLINE V combine(V a, V b) {
    const V smaller = b < a ? b : a;
    return b != b ? b : smaller;
  }
};

// All of x[0 .. n): at most kSteps operations a lane in T, pairwise across the lanes, then in Acc.
template <typename Op, typename T>
typename Op::template Acc<T> reduce_run(const T* x, int64_t n) {
  using A = typename Op::template Acc<T>;
  constexpr int64_t lanes = kLanes<T>, chunk = 4 * lanes * kSteps;
  A total = Op::template start<A>;
  if (n < 4) {
    for (int64_t i = 0; i < n; ++i) total = Op::combine(total, Op::take(static_cast<A>(x[i])));
    return total;
  }
  if (n > 16 * chunk) {
    const int64_t half = n / 2 / chunk * chunk;
    return Op::combine(reduce_run<Op>(x, half), reduce_run<Op>(x + half, n - half));
  }
  const Vec<T> start = splat(Op::template start<T>);
  for (int64_t i = 0; i < n;) {
    const int64_t end = std::min(n, i + chunk);
    Vec<T> parts[4] = {start, start, start, start};
    for (; i + 4 * lanes <= end; i += 4 * lanes) {
      for (int v = 0; v < 4; ++v) {
        parts[v] = Op::combine(parts[v], Op::take(load(x + i + v * lanes)));
      }
    }
    for (; i + lanes <= end; i += lanes) parts[0] = Op::combine(parts[0], Op::take(load(x + i)));
    if (i < end) {
      const Vec<T> rest = load_n(x + i, end - i, Op::template start<T>);
      parts[1] = Op::combine(parts[1], Op::take(rest));
      i = end;
    }
    const Vec<T> all =
        Op::combine(Op::combine(parts[0], parts[1]), Op::combine(parts[2], parts[3]));
    const T one = across<lanes>(all, [](auto p, auto q) { return Op::combine(p, q); });
    total = Op::combine(total, static_cast<A>(one));
  }
  return total;
}

// totals[0 .. width) and that many neighbouring columns of `rows` rows; kVectors - 1 vectors are
// whole.
template <typename Op, int kVectors, typename T, typename A>
MINIDL_INLINE void reduce_block(const T* x, int64_t rows, int64_t stride, int64_t width,
                                A* totals) {
  constexpr int64_t lanes = kLanes<T>, last = (kVectors - 1) * lanes;
  constexpr T start = Op::template start<T>;
  Vec<T> parts[kVectors];
  for (int v = 0; v < kVectors; ++v) parts[v] = splat(start);
  for (int64_t r = 0; r < rows; ++r) {
    const T* const row = x + r * stride;
    for (int v = 0; v < kVectors - 1; ++v) {
      parts[v] = Op::combine(parts[v], Op::take(load(row + v * lanes)));
    }
    const int64_t left = width - last;
    const Vec<T> rest = left == lanes ? load(row + last) : load_n(row + last, left, start);
    parts[kVectors - 1] = Op::combine(parts[kVectors - 1], Op::take(rest));
  }
  T sums[kVectors * lanes];
  for (int v = 0; v < kVectors; ++v) store(sums + v * lanes, parts[v]);
  for (int64_t j = 0; j < width; ++j) {
    totals[j] = Op::combine(totals[j], static_cast<A>(sums[j]));
  }
}

// As many vectors as hold `width` columns, up to kMost.
template <typename Op, int kMost, typename T, typename A>
MINIDL_INLINE void reduce_blocks(const T* x, int64_t rows, int64_t stride, int64_t width,
                                 A* totals) {
  if constexpr (kMost > 1) {
    if (width <= (kMost - 1) * kLanes<T>) {
      return reduce_blocks<Op, kMost - 1>(x, rows, stride, width, totals);
    }
  }
  reduce_block<Op, kMost>(x, rows, stride, width, totals);
}

template <typename Op, typename T, typename A>
void reduce_columns(const T* x, int64_t rows, int64_t stride, int64_t width, A* totals) {
  constexpr int64_t wide = 8 * kLanes<T>, chunk = 2 * kSteps;
  for (int64_t begin = 0; begin < rows; begin += chunk) {
    const int64_t count = std::min(chunk, rows - begin);
    for (int64_t c = 0; c < width; c += wide) {
      reduce_blocks<Op, 8>(x + begin * stride + c, count, stride, std::min(wide, width - c),
                           totals + c);
    }
  }
}

// How the work is cut: units are blocks of results, slices parts of the reduced axes.
struct Cut {
  int64_t width, blocks, units, slices, grain;
  bool outer;  // slices are ranges of R0, not R1

  explicit Cut(const ReduceShape& s) {
    width = std::min(kBlock, s.k1);
    blocks = (s.k1 + kBlock - 1) / kBlock;
    units = s.k0 * blocks;
    outer = s.r0 > 1;
    const int64_t work = s.r0 * s.r1 * width;  // of a unit
    slices = 1;
    if (units < kFewUnits) {
      slices = std::clamp<int64_t>(work / kTask, 1,
                                   std::clamp<int64_t>(outer ? s.r0 : s.r1, 1, kMostSlices));
    }
    grain = std::max<int64_t>(1, kTask / (work / slices + 1));
  }
};

// One slice of one unit; totals[0 .. width).
template <typename Op, typename T, typename A>
void reduce_slice(const ReduceShape& s, const Cut& cut, int64_t unit, int64_t slice, const T* x,
                  A* totals) {
  const int64_t k0 = unit / cut.blocks, column = unit % cut.blocks * kBlock;
  const int64_t width = std::min(cut.width, s.k1 - column);
  const int64_t length = cut.outer ? s.r0 : s.r1;
  const int64_t begin = length * slice / cut.slices, end = length * (slice + 1) / cut.slices;
  const int64_t first = cut.outer ? 0 : begin, count = cut.outer ? s.r1 : end - begin;
  std::fill_n(totals, width, Op::template start<A>);
  for (int64_t r0 = cut.outer ? begin : 0; r0 < (cut.outer ? end : s.r0); ++r0) {
    const T* const from = x + ((r0 * s.k0 + k0) * s.r1 + first) * s.k1 + column;
    if (s.k1 == 1) {
      *totals = Op::combine(*totals, reduce_run<Op>(from, count));
    } else {
      reduce_columns<Op>(from, count, s.k1, width, totals);
    }
  }
}

// totals[0 .. n) and more[0 .. n)
template <typename Op, typename A>
MINIDL_INLINE void combine_into(const A* __restrict more, int64_t n, A* __restrict totals) {
  for (int64_t j = 0; j < n; ++j) totals[j] = Op::combine(totals[j], more[j]);
}

// Where K1 is 1 and there are enough results.
template <typename Op, typename T>
void reduce_rows(const ReduceShape& s, int64_t grain, const T* x, T* out) {
  using A = typename Op::template Acc<T>;
  const auto body = [&](int64_t begin, int64_t end) {
    for (int64_t k0 = begin; k0 < end; ++k0) {
      A total = Op::template start<A>;
      for (int64_t r0 = 0; r0 < s.r0; ++r0) {
        total = Op::combine(total, reduce_run<Op>(x + (r0 * s.k0 + k0) * s.r1, s.r1));
      }
      out[k0] = static_cast<T>(total);
    }
  };
  s.k0 <= grain ? body(0, s.k0) : parallel_for(s.k0, grain, body);
}

template <typename Op, typename T>
void reduce(const ReduceShape& given, const T* x, T* out) {
  using A = typename Op::template Acc<T>;
  ReduceShape s = given;
  if (s.r1 == 1 && s.k1 == 1) s = {1, 1, s.r0, s.k0};
  const Cut cut(s);
  if (s.k1 == 1 && cut.slices == 1) return reduce_rows<Op>(s, cut.grain, x, out);
  const auto write = [&](int64_t unit, const A* totals) {
    const int64_t column = unit % cut.blocks * kBlock;
    T* const to = out + unit / cut.blocks * s.k1 + column;
    const int64_t width = std::min(cut.width, s.k1 - column);
    for (int64_t j = 0; j < width; ++j) to[j] = static_cast<T>(totals[j]);
  };
  if (cut.slices == 1) {
    const auto body = [&](int64_t begin, int64_t end) {
      alignas(64) A totals[kBlock];
      for (int64_t unit = begin; unit < end; ++unit) {
        reduce_slice<Op>(s, cut, unit, 0, x, totals);
        write(unit, totals);
      }
    };
    cut.units <= cut.grain ? body(0, cut.units) : parallel_for(cut.units, cut.grain, body);
    return;
  }
  const Workspace<A> parts(cut.units * cut.slices * cut.width);
  parallel_for(cut.units * cut.slices, cut.grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      A* const totals = parts.data() + i * cut.width;
      reduce_slice<Op>(s, cut, i / cut.slices, i % cut.slices, x, totals);
    }
  });
  for (int64_t unit = 0; unit < cut.units; ++unit) {
    A* const totals = parts.data() + unit * cut.slices * cut.width;
    for (int64_t slice = 1; slice < cut.slices; ++slice) {
      combine_into<Op>(totals + slice * cut.width, cut.width, totals);
    }
    write(unit, totals);
  }
}

}  // namespace

MINIDL_FILL_TABLES(ReductionKernels, reduction_kernels, .sum = &reduce<Sum, T>,
                   .sum_squares = &reduce<SumOfSquares, T>, .prod = &reduce<Product, T>,
                   .amax = &reduce<Largest, T>, .amin = &reduce<Smallest, T>)

}  // namespace minidl::cpu::MINIDL_ISA
