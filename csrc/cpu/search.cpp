#include "cpu/search.h"

#include <algorithm>
#include <mutex>
#include <vector>

#include "cpu/thread_pool.h"

namespace minidl::cpu {
namespace {

constexpr int64_t kGrain = 1 << 12;  // values a piece
constexpr int64_t kSide = 8;         // searches that go on side by side

// Whether a comes before b, NaN last.
template <class T>
bool before(T a, T b) {
  return a < b || (b != b && a == a);
}

// Halves without branches; several searches keep several loads under way.
template <bool kRight, class T>
void search(const T* boundaries, int64_t size, const T* values, int64_t count, int64_t* places) {
  const auto passed = [](T boundary, T value) {
    return kRight ? !before(value, boundary) : before(boundary, value);
  };
  int64_t at[kSide] = {};
  int64_t left = size;
  while (left > 1) {
    const int64_t half = left / 2;
    for (int64_t i = 0; i < count; ++i) {
      at[i] = passed(boundaries[at[i] + half - 1], values[i]) ? at[i] + half : at[i];
    }
    left -= half;
  }
  for (int64_t i = 0; i < count; ++i) {
    places[i] = at[i] + (size > 0 && passed(boundaries[at[i]], values[i]) ? 1 : 0);
  }
}

}  // namespace

template <class T>
void search_sorted(const SearchProblem& p, const T* boundaries, const T* values, int64_t* places) {
  const auto run = p.right ? &search<true, T> : &search<false, T>;
  const int64_t pieces = (p.wanted + kGrain - 1) / kGrain;
  const int64_t grain = std::max<int64_t>(1, kGrain / std::max<int64_t>(1, p.wanted));
  parallel_for(p.rows * pieces, grain, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t row = task / pieces, first = task % pieces * kGrain;
      const int64_t until = std::min(p.wanted, first + kGrain);
      const T* own = boundaries + (p.shared ? 0 : row * p.size);
      for (int64_t i = first; i < until; i += kSide) {
        const int64_t at = row * p.wanted + i;
        run(own, p.size, values + at, std::min(kSide, until - i), places + at);
      }
    }
  });
}

template <class T>
void count_between(int64_t edges, const T* edge, int64_t size, const T* values, double* counts) {
  const int64_t bins = edges - 1;
  const T low = edge[0], high = edge[bins];
  const double scale = static_cast<double>(bins) / (static_cast<double>(high) - low);
  std::fill_n(counts, bins, 0.0);
  std::mutex joining;  // sums of whole numbers: the order of the threads does not matter
  parallel_for(size, std::max(8 * kGrain, bins), [&](int64_t begin, int64_t end) {
    std::vector<int64_t> own(bins);
    for (int64_t i = begin; i < end; ++i) {
      const T value = values[i];
      if (!(value >= low && value <= high)) continue;
      // Where edges are evenly spaced, this is the bin or one beside it.
      const double guess = (static_cast<double>(value) - low) * scale;
      int64_t bin = guess < bins ? static_cast<int64_t>(guess) : bins - 1;
      if (value < edge[bin] && bin > 0) --bin;
      if (value >= edge[bin + 1] && bin + 1 < bins) ++bin;
      if (value < edge[bin] || (value >= edge[bin + 1] && bin + 1 < bins)) {
        bin = std::clamp<int64_t>(std::upper_bound(edge, edge + edges, value) - edge, 1, bins) - 1;
      }
      ++own[bin];
    }
    const std::lock_guard<std::mutex> lock(joining);
    for (int64_t bin = 0; bin < bins; ++bin) counts[bin] += static_cast<double>(own[bin]);
  });
}

#define MINIDL_SEARCHED(T)                                                            \
  template void search_sorted<T>(const SearchProblem&, const T*, const T*, int64_t*); \
  template void count_between<T>(int64_t, const T*, int64_t, const T*, double*);
MINIDL_SEARCHED(float)
MINIDL_SEARCHED(double)

}  // namespace minidl::cpu
