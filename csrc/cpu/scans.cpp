#include "cpu/scans.h"

#include <algorithm>

#include "cpu/thread_pool.h"

namespace minidl::cpu {
namespace {

constexpr int64_t kTask = 1 << 15;  // elements of a task
constexpr int64_t kWide = 64;       // columns that a task takes side by side
constexpr int kRuns = 4;            // runs that keep several comparisons under way

template <bool kLargest, class T>
bool wins(T value, T best) {
  return (kLargest ? value >= best : value <= best) || value != value;
}

// `width` columns that lie `across` apart, their elements `along` apart; r > 0.
template <bool kLargest, class T>
void scan_columns(int64_t r, int64_t along, int64_t across, int64_t width, const T* x,
                  T* __restrict values, int64_t* __restrict places) {
  T best[kWide];
  int64_t place[kWide] = {};
  for (int64_t j = 0; j < width; ++j) best[j] = x[j * across];
  for (int64_t i = 0; i < r; ++i) {
    for (int64_t j = 0; j < width; ++j) {
      const int64_t at = i * along + j * across;
      const bool taken = wins<kLargest>(x[at], best[j]);
      best[j] = taken ? x[at] : best[j];
      place[j] = taken ? i : place[j];
      values[at] = best[j];
      places[at] = place[j];
    }
  }
}

template <bool kLargest, class T>
void scan(int64_t k, int64_t r, int64_t m, const T* x, T* values, int64_t* places) {
  if (k * r * m == 0) return;
  // Columns of a block are neighbours; where M is 1 they are runs.
  const bool runs = m == 1;
  const int64_t outer = runs ? 1 : k, columns = runs ? k : m, wide = runs ? kRuns : kWide;
  const int64_t along = m, across = runs ? r : 1;
  const int64_t blocks = (columns + wide - 1) / wide;
  const int64_t grain = std::max<int64_t>(1, kTask / (r * std::min(wide, columns)));
  parallel_for(outer * blocks, grain, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t first = task % blocks * wide, width = std::min(wide, columns - first);
      const int64_t at = task / blocks * r * m + first * across;
      if (runs && width == kRuns) {
        scan_columns<kLargest>(r, 1, r, kRuns, x + at, values + at, places + at);
      } else {
        scan_columns<kLargest>(r, along, across, width, x + at, values + at, places + at);
      }
    }
  });
}

}  // namespace

template <class T>
void cummax(int64_t k, int64_t r, int64_t m, const T* x, T* values, int64_t* places) {
  scan<true>(k, r, m, x, values, places);
}

template <class T>
void cummin(int64_t k, int64_t r, int64_t m, const T* x, T* values, int64_t* places) {
  scan<false>(k, r, m, x, values, places);
}

#define MINIDL_SCANNED(T)                                                     \
  template void cummax<T>(int64_t, int64_t, int64_t, const T*, T*, int64_t*); \
  template void cummin<T>(int64_t, int64_t, int64_t, const T*, T*, int64_t*);
MINIDL_SCANNED(float)
MINIDL_SCANNED(double)
MINIDL_SCANNED(int32_t)
MINIDL_SCANNED(int64_t)

}  // namespace minidl::cpu
