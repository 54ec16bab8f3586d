// Reductions and scans along one axis of x[K, R, M] that know where they are.
#include <algorithm>
#include <limits>

#include "cpu/reductions.h"
#include "cpu/simd/vec.h"
#include "cpu/simd/workspace.h"
#include "cpu/thread_pool.h"

namespace minidl::cpu::MINIDL_ISA {
namespace {

constexpr int64_t kTask = 1 << 15;   // elements of a task: a few microseconds
constexpr int64_t kPiece = 1 << 16;  // of a run: positions inside fit an int32

// Whether an element later than `best` takes its place.
template <bool kLargest, typename T>
MINIDL_INLINE bool beats(T value, T best) {
  return (kLargest ? !(value <= best) : !(value >= best)) && best == best;
}

// The same in vectors, with the positions.
template <bool kLargest, typename T>
MINIDL_INLINE void keep_first(Vec<T> value, Vec<Int<T>> position, Vec<T>& best,
                              Vec<Int<T>>& winner) {
#if defined(__AVX512F__)
  constexpr int order = kLargest ? _CMP_NLE_UQ : _CMP_NGE_UQ;
  if constexpr (sizeof(T) == 4) {
    const auto v = reinterpret_cast<__m512>(value), b = reinterpret_cast<__m512>(best);
    const __mmask16 wins =
        _mm512_mask_cmp_ps_mask(_mm512_cmp_ps_mask(b, b, _CMP_ORD_Q), v, b, order);
    best = reinterpret_cast<Vec<T>>(_mm512_mask_mov_ps(b, wins, v));
    winner = reinterpret_cast<Vec<Int<T>>>(_mm512_mask_mov_epi32(
        reinterpret_cast<__m512i>(winner), wins, reinterpret_cast<__m512i>(position)));
  } else {
    const auto v = reinterpret_cast<__m512d>(value), b = reinterpret_cast<__m512d>(best);
    const __mmask8 wins =
        _mm512_mask_cmp_pd_mask(_mm512_cmp_pd_mask(b, b, _CMP_ORD_Q), v, b, order);
    best = reinterpret_cast<Vec<T>>(_mm512_mask_mov_pd(b, wins, v));
    winner = reinterpret_cast<Vec<Int<T>>>(_mm512_mask_mov_epi64(
        reinterpret_cast<__m512i>(winner), wins, reinterpret_cast<__m512i>(position)));
  }
#else
  const auto worse = kLargest ? value <= best : value >= best;
  const auto wins = ~worse & (best == best);
  best = wins ? value : best;
  winner = wins ? position : winner;
#endif
}

template <typename T>
struct Found {
  T value;
  int64_t at;
};

// The winner among vectors of elements and their positions: the first of equal ones, the first NaN.
template <bool kLargest, int kVectors, typename T>
MINIDL_INLINE Found<T> first_of(const Vec<T> (&best)[kVectors],
                                const Vec<Int<T>> (&position)[kVectors]) {
  constexpr int64_t lanes = kLanes<T>;
  const auto smaller = [](auto a, auto b) { return a < b ? a : b; };
  const auto better = [](auto a, auto b) { return (kLargest ? a > b : a < b) ? a : b; };
  Vec<T> top = best[0];
  Vec<Int<T>> nan = best[0] != best[0];
  for (int v = 1; v < kVectors; ++v) {
    top = better(best[v], top);
    nan |= best[v] != best[v];
  }
  const bool any_nan = across<lanes>(nan, [](auto a, auto b) { return a | b; }) != 0;
  const T value = any_nan ? std::numeric_limits<T>::quiet_NaN() : across<lanes>(top, better);
  Vec<Int<T>> first = splat(std::numeric_limits<Int<T>>::max());
  for (int v = 0; v < kVectors; ++v) {
    const Vec<Int<T>> wins = any_nan ? best[v] != best[v] : best[v] == splat(value);
    first = smaller(wins ? position[v] : splat(std::numeric_limits<Int<T>>::max()), first);
  }
  return {value, across<lanes>(first, smaller)};
}

// The winner among n <= kPiece neighbours, n > 0.
template <bool kLargest, typename T>
Found<T> find_in_piece(const T* x, int64_t n) {
  constexpr int64_t lanes = kLanes<T>;
  constexpr int kVectors = 4;
  Found<T> found{x[0], 0};
  int64_t i = 0;
  if (n >= kVectors * lanes) {
    Vec<T> best[kVectors];
    Vec<Int<T>> winner[kVectors], position[kVectors];
    for (int v = 0; v < kVectors; ++v) {
      best[v] = load(x + v * lanes);
      for (int64_t lane = 0; lane < lanes; ++lane) winner[v][lane] = v * lanes + lane;
      position[v] = winner[v];
    }
    for (i = kVectors * lanes; i + kVectors * lanes <= n; i += kVectors * lanes) {
      for (int v = 0; v < kVectors; ++v) {
        position[v] += static_cast<Int<T>>(kVectors * lanes);
        keep_first<kLargest, T>(load(x + i + v * lanes), position[v], best[v], winner[v]);
      }
    }
    found = first_of<kLargest, kVectors, T>(best, winner);
  }
  for (; i < n; ++i) {
    if (beats<kLargest>(x[i], found.value)) found = {x[i], i};
  }
  return found;
}

template <bool kLargest, typename T>
int64_t find_in_run(const T* x, int64_t n) {
  Found<T> found = find_in_piece<kLargest>(x, std::min(n, kPiece));
  for (int64_t begin = kPiece; begin < n; begin += kPiece) {
    const auto next = find_in_piece<kLargest>(x + begin, std::min(kPiece, n - begin));
    if (beats<kLargest>(next.value, found.value)) found = {next.value, begin + next.at};
  }
  return found.at;
}

// One long run, its pieces side by side.
template <bool kLargest, typename T>
void find_in_pieces(const T* x, int64_t n, int64_t* out) {
  const int64_t pieces = (n + kPiece - 1) / kPiece;
  const Workspace<Found<T>> parts(pieces);
  parallel_for(pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      parts.data()[i] = find_in_piece<kLargest>(x + i * kPiece, std::min(kPiece, n - i * kPiece));
    }
  });
  int64_t winner = 0;
  for (int64_t i = 1; i < pieces; ++i) {
    if (beats<kLargest>(parts.data()[i].value, parts.data()[winner].value)) winner = i;
  }
  *out = winner * kPiece + parts.data()[winner].at;
}

// Winners of `width` <= kLanes<T> neighbouring columns of r rows.
template <bool kLargest, typename T>
void find_in_columns(const T* x, int64_t r, int64_t m, int64_t width, int64_t* out) {
  const bool whole = width == kLanes<T>;
  Vec<T> best = whole ? load(x) : load_n(x, width);
  int64_t first = 0;
  for (int64_t i = 0; i < width; ++i) out[i] = 0;
  while (first < r) {
    const int64_t end = std::min(r, first + kPiece);
    Vec<Int<T>> winner = splat(Int<T>(-1));
    for (int64_t i = first; i < end; ++i) {
      const T* const row = x + i * m;
      keep_first<kLargest, T>(whole ? load(row) : load_n(row, width),
                              splat(static_cast<Int<T>>(i - first)), best, winner);
    }
    for (int64_t i = 0; i < width; ++i) {
      if (winner[i] >= 0) out[i] = first + winner[i];
    }
    first = end;
  }
}

template <bool kLargest, typename T>
void find(int64_t k, int64_t r, int64_t m, const T* x, int64_t* out) {
  if (m == 1) {
    if (k == 1 && r > kPiece) return find_in_pieces<kLargest>(x, r, out);
    const int64_t grain = std::max<int64_t>(1, kTask / std::max<int64_t>(1, r));
    parallel_for(k, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) out[i] = find_in_run<kLargest>(x + i * r, r);
    });
    return;
  }
  const int64_t blocks = (m + kLanes<T> - 1) / kLanes<T>;
  const int64_t grain = std::max<int64_t>(1, kTask / std::max<int64_t>(1, r * kLanes<T>));
  parallel_for(k * blocks, grain, [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t column = unit % blocks * kLanes<T>;
      find_in_columns<kLargest>(x + unit / blocks * r * m + column, r, m,
                                std::min(kLanes<T>, m - column), out + unit / blocks * m + column);
    }
  });
}

// From where a scan starts, and what it makes of a running value and an element.
struct Sums {
  static constexpr double start = 0;
  static double join(double a, double b) { return a + b; }
};
struct Products {
  static constexpr double start = 1;
  static double join(double a, double b) { return a * b; }
};

// Running values of `width` neighbouring columns; totals[0 .. width) is memory for them.
template <typename Op, typename T>
MINIDL_INLINE void scan_columns(int64_t r, int64_t m, int64_t width, const T* __restrict x,
                                double* __restrict totals, T* __restrict out) {
  std::fill_n(totals, width, Op::start);
  for (int64_t i = 0; i < r; ++i) {
    for (int64_t j = 0; j < width; ++j) {
      totals[j] = Op::join(totals[j], static_cast<double>(x[i * m + j]));
      out[i * m + j] = static_cast<T>(totals[j]);
    }
  }
}

// Running values of kRows runs, which keep several operations under way.
template <typename Op, int kRows, typename T>
MINIDL_INLINE void scan_runs(int64_t r, const T* __restrict x, T* __restrict out) {
  double totals[kRows];
  std::fill_n(totals, kRows, Op::start);
  for (int64_t i = 0; i < r; ++i) {
    for (int row = 0; row < kRows; ++row) {
      totals[row] = Op::join(totals[row], static_cast<double>(x[row * r + i]));
      out[row * r + i] = static_cast<T>(totals[row]);
    }
  }
}

template <typename Op, typename T>
void scan_all_runs(int64_t k, int64_t r, const T* x, T* out) {
  constexpr int64_t group = 4;
  const int64_t grain = std::max<int64_t>(1, kTask / std::max<int64_t>(1, group * r)) * group;
  parallel_for(k, grain, [&](int64_t begin, int64_t end) {
    int64_t row = begin;
    for (; row + group <= end; row += group) scan_runs<Op, group>(r, x + row * r, out + row * r);
    for (; row < end; ++row) scan_runs<Op, 1>(r, x + row * r, out + row * r);
  });
}

template <typename Op, typename T>
void scan(int64_t k, int64_t r, int64_t m, const T* x, T* out) {
  if (m == 1) return scan_all_runs<Op>(k, r, x, out);
  constexpr int64_t block = 128;
  const int64_t blocks = (m + block - 1) / block;
  const int64_t work = std::max<int64_t>(1, r * std::min(m, block));
  parallel_for(k * blocks, std::max<int64_t>(1, kTask / work), [&](int64_t begin, int64_t end) {
    double totals[block];
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t column = unit % blocks * block, at = unit / blocks * r * m + column;
      scan_columns<Op>(r, m, std::min(block, m - column), x + at, totals, out + at);
    }
  });
}

}  // namespace

MINIDL_FILL_TABLES(PositionKernels, position_kernels, .argmax = &find<true, T>,
                   .argmin = &find<false, T>, .cumsum = &scan<Sums, T>,
                   .cumprod = &scan<Products, T>)

}  // namespace minidl::cpu::MINIDL_ISA
