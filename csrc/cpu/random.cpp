#include "cpu/random.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "common/philox.h"
#include "cpu/thread_pool.h"

namespace minidl::cpu {
namespace {

constexpr int kLanes = 8;               // blocks computed side by side, for the vector unit
constexpr int kWords = 4 * kLanes;      // words of a group of lanes
constexpr int64_t kGroupsAPiece = 512;  // 64 KiB of words: worth a thread's while

// Words of the kLanes blocks from `first` on. One lane a vector element, so that a round is a
// handful of vector instructions.
void philox_lanes(uint64_t first, uint64_t seed, uint32_t (&words)[kWords]) {
  uint32_t c0[kLanes], c1[kLanes], c2[kLanes], c3[kLanes];
  for (int lane = 0; lane < kLanes; ++lane) {
    const PhiloxBlock counter = PhiloxBlock::counter(first + lane);
    c0[lane] = counter.word[0], c1[lane] = counter.word[1];
    c2[lane] = counter.word[2], c3[lane] = counter.word[3];
  }
  PhiloxKey key(seed);
  for (int round = 0; round < 10; ++round, key = key.next()) {
    for (int lane = 0; lane < kLanes; ++lane) {
      const PhiloxBlock next = PhiloxBlock{{c0[lane], c1[lane], c2[lane], c3[lane]}}.round(key);
      c0[lane] = next.word[0], c1[lane] = next.word[1];
      c2[lane] = next.word[2], c3[lane] = next.word[3];
    }
  }
  for (int lane = 0; lane < kLanes; ++lane) {
    words[4 * lane] = c0[lane], words[4 * lane + 1] = c1[lane];
    words[4 * lane + 2] = c2[lane], words[4 * lane + 3] = c3[lane];
  }
}

// Fills `out` by convert(words, out), which turns kIn words into kOut elements.
template <int kIn, int kOut, class T, class Convert>
void fill(T* out, int64_t count, Stream stream, Convert convert) {
  static_assert(kWords % kIn == 0, "a group of words must hold whole elements");
  constexpr int kElements = kWords / kIn * kOut;
  const int64_t groups = count / kElements + (count % kElements != 0);
  parallel_for(groups, kGroupsAPiece, [&](int64_t begin, int64_t end) {
    uint32_t words[kWords];
    T tail[kElements];
    for (int64_t group = begin; group < end; ++group) {
      philox_lanes(stream.offset + static_cast<uint64_t>(group) * kLanes, stream.seed, words);
      const int64_t start = group * kElements;
      const bool whole = count - start >= kElements;
      T* target = whole ? out + start : tail;
      for (int i = 0; i < kWords / kIn; ++i) convert(words + i * kIn, target + i * kOut);
      if (!whole) std::copy(tail, tail + (count - start), out + start);
    }
  });
}

// Box-Muller, in double for every T so that all backends round the same number.
template <class T>
void two_normals(double first, double second, T* out) {
  const double radius = std::sqrt(std::log(first) * -2.0);
  const double angle = second * (2.0 * std::numbers::pi);
  out[0] = static_cast<T>(radius * std::cos(angle));
  out[1] = static_cast<T>(radius * std::sin(angle));
}

// floor(pair * span / 2^64)
inline uint64_t multiply_high(uint64_t pair, uint64_t span) {
  return static_cast<uint64_t>((static_cast<unsigned __int128>(pair) * span) >> 64);
}

// floor((high * 2^64 + low) * span / 2^128)
inline uint64_t multiply_high(uint64_t high, uint64_t low, uint64_t span) {
  const auto product = static_cast<unsigned __int128>(high) * span;
  return static_cast<uint64_t>((product + multiply_high(low, span)) >> 64);
}

}  // namespace

void fill_bits(uint32_t* out, int64_t count, Stream stream) {
  fill<1, 1>(out, count, stream, [](const uint32_t* w, uint32_t* o) { *o = *w; });
}

void fill_bits(uint64_t* out, int64_t count, Stream stream) {
  fill<2, 1>(out, count, stream, [](const uint32_t* w, uint64_t* o) { *o = philox_pair(w); });
}

void fill_uniform(float* out, int64_t count, Stream stream) {
  fill<1, 1>(out, count, stream, [](const uint32_t* w, float* o) { *o = philox_unit_float(*w); });
}

void fill_uniform(double* out, int64_t count, Stream stream) {
  fill<2, 1>(out, count, stream,
             [](const uint32_t* w, double* o) { *o = philox_unit_double(philox_pair(w)); });
}

void fill_normal(float* out, int64_t count, Stream stream) {
  fill<2, 2>(out, count, stream, [](const uint32_t* w, float* o) {
    two_normals(philox_open_unit(w[0]), philox_open_unit(w[1]), o);
  });
}

void fill_normal(double* out, int64_t count, Stream stream) {
  fill<4, 2>(out, count, stream, [](const uint32_t* w, double* o) {
    two_normals(philox_open_unit(philox_pair(w)), philox_open_unit(philox_pair(w + 2)), o);
  });
}

void fill_exponential(float* out, int64_t count, Stream stream) {
  fill<1, 1>(out, count, stream, [](const uint32_t* w, float* o) {
    *o = static_cast<float>(-std::log(philox_open_unit(*w)));
  });
}

void fill_exponential(double* out, int64_t count, Stream stream) {
  fill<2, 1>(out, count, stream, [](const uint32_t* w, double* o) {
    *o = -std::log(philox_open_unit(philox_pair(w)));
  });
}

void fill_integers(int64_t* out, int64_t count, int64_t low, uint64_t span, Stream stream) {
  const auto base = static_cast<uint64_t>(low);
  if (span != 0 && span <= uint64_t{1} << 32) {
    return fill<2, 1>(out, count, stream, [=](const uint32_t* w, int64_t* o) {
      *o = static_cast<int64_t>(base + multiply_high(philox_pair(w), span));
    });
  }
  fill<4, 1>(out, count, stream, [=](const uint32_t* w, int64_t* o) {
    const uint64_t high = philox_pair(w + 2), low_pair = philox_pair(w);
    const uint64_t index = span == 0 ? high : multiply_high(high, low_pair, span);
    *o = static_cast<int64_t>(base + index);
  });
}

}  // namespace minidl::cpu
