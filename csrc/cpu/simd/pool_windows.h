// The windows of max pooling along one dimension, and the step in which a tap competes for them.
#pragma once

#include <algorithm>
#include <type_traits>

#include "cpu/pool.h"
#include "cpu/simd/pool_lines.h"

namespace minidl::cpu::MINIDL_ISA {

inline constexpr int64_t kPoolTask = 1 << 14;  // elements of a task: a few microseconds

// Taps [begin, end) of a window inside the input, and where tap 0 lies.
struct Taps {
  int64_t begin, end, origin;
  int64_t first;  // begin, or the last tap where all lie before the input
};

MINIDL_INLINE Taps taps_of(const MaxPoolProblem& p, int d, int64_t out) {
  const int64_t origin = out * p.stride[d] - p.padding[d];
  const int64_t begin = std::max<int64_t>(0, ceil_quotient(-origin, p.dilation[d]));
  const int64_t end = std::min(p.kernel[d], ceil_quotient(p.size[d] - origin, p.dilation[d]));
  return {begin, end, origin, std::min(begin, p.kernel[d] - 1)};
}

// Elements from the first to the last tap.
MINIDL_INLINE int64_t reach_of(const MaxPoolProblem& p, int d) {
  return (p.kernel[d] - 1) * p.dilation[d] + 1;
}

// Windows [begin, end) that may hold an element of the input, which lies under tap
// (place - out * stride) / dilation of window `out`, where that is whole.
struct Covering {
  int64_t begin, end, place;

  Covering(const MaxPoolProblem& p, int d, int64_t in) {
    place = in + p.padding[d];
    begin = std::max<int64_t>(0, ceil_quotient(place - reach_of(p, d) + 1, p.stride[d]));
    end = std::min(p.out[d], place / p.stride[d] + 1);
  }

  // The tap, or -1.
  int64_t tap(const MaxPoolProblem& p, int d, int64_t out) const {
    const int64_t at = place - out * p.stride[d];
    if (p.dilation[d] == 1) return at;
    return at % p.dilation[d] == 0 ? at / p.dilation[d] : -1;
  }
};

// One entry for every position along dimension d: divisions take longer than short lines.
MINIDL_INLINE Workspace<Taps> all_taps(const MaxPoolProblem& p, int d) {
  return Workspace<Taps>(p.out[d], [&](int64_t i) { return taps_of(p, d, i); });
}
MINIDL_INLINE Workspace<Covering> all_covering(const MaxPoolProblem& p, int d) {
  return Workspace<Covering>(p.size[d], [&](int64_t i) { return Covering(p, d, i); });
}

// The most windows of which one element is part.
MINIDL_INLINE int64_t overlap_of(const MaxPoolProblem& p, int d) {
  return std::min(p.out[d], (reach_of(p, d) - 1) / p.stride[d] + 1);
}

// value replaces best where it is larger or NaN, and its tap the winner.
template <typename T>
MINIDL_INLINE void keep_larger(Vec<T> value, Vec<Int<T>> tap, Vec<T>& best, Vec<Int<T>>& winner) {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<T, float>) {
    const __m512 v = reinterpret_cast<__m512>(value), b = reinterpret_cast<__m512>(best);
    const __mmask16 wins =
        _mm512_cmp_ps_mask(v, b, _CMP_GT_OQ) | _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    best = reinterpret_cast<Vec<T>>(_mm512_mask_mov_ps(b, wins, v));
    winner = reinterpret_cast<Vec<Int<T>>>(_mm512_mask_mov_epi32(
        reinterpret_cast<__m512i>(winner), wins, reinterpret_cast<__m512i>(tap)));
  } else {
    const __m512d v = reinterpret_cast<__m512d>(value), b = reinterpret_cast<__m512d>(best);
    const __mmask8 wins =
        _mm512_cmp_pd_mask(v, b, _CMP_GT_OQ) | _mm512_cmp_pd_mask(v, v, _CMP_UNORD_Q);
    best = reinterpret_cast<Vec<T>>(_mm512_mask_mov_pd(b, wins, v));
    winner = reinterpret_cast<Vec<Int<T>>>(_mm512_mask_mov_epi64(
        reinterpret_cast<__m512i>(winner), wins, reinterpret_cast<__m512i>(tap)));
  }
#else
  const auto wins = (value > best) | (value != value);
  best = wins ? value : best;
  winner = wins ? tap : winner;
#endif
}

// kLanes<T> taps as offsets in memory. The compiler would take vectors of bytes apart lane by lane;
// GCC 12 warns of the intrinsics without a mask, as if they read what is not initialised.
template <typename T, typename Offset>
MINIDL_INLINE void store_narrow(Offset* to, Vec<Int<T>> taps) {
#if defined(__x86_64__)
  if constexpr (sizeof(Offset) == 1) {
#if defined(__AVX512F__)
    const auto wide = reinterpret_cast<__m512i>(taps);
    __m128i bytes;
    if constexpr (sizeof(T) == 4) {
      bytes = _mm512_maskz_cvtepi32_epi8(static_cast<__mmask16>(-1), wide);
    } else {
      bytes = _mm512_maskz_cvtepi64_epi8(static_cast<__mmask8>(-1), wide);
    }
#else
    const __m128i first = sizeof(T) == 4 ? _mm_set1_epi32(0x0C080400) : _mm_set1_epi16(0x0800);
#if defined(__AVX2__)
    const auto wide = reinterpret_cast<__m256i>(taps);
    const __m128i low = _mm_shuffle_epi8(_mm256_castsi256_si128(wide), first);
    const __m128i high = _mm_shuffle_epi8(_mm256_extracti128_si256(wide, 1), first);
    const __m128i bytes =
        sizeof(T) == 4 ? _mm_unpacklo_epi32(low, high) : _mm_unpacklo_epi16(low, high);
#else
    const __m128i bytes = _mm_shuffle_epi8(reinterpret_cast<__m128i>(taps), first);
#endif
#endif
    std::memcpy(to, &bytes, kLanes<T>);
    return;
  }
#endif
  for (int64_t i = 0; i < kLanes<T>; ++i) to[i] = static_cast<Offset>(taps[i]);
}

template <typename T, typename Offset>
MINIDL_INLINE Vec<Int<T>> load_wide(const Offset* from) {
#if defined(__x86_64__)
  if constexpr (sizeof(Offset) == 1) {
    __m128i bytes{};
    std::memcpy(&bytes, from, kLanes<T>);
#if defined(__AVX512F__)
    __m512i wide;
    if constexpr (sizeof(T) == 4) {
      wide = _mm512_maskz_cvtepu8_epi32(static_cast<__mmask16>(-1), bytes);
    } else {
      wide = _mm512_maskz_cvtepu8_epi64(static_cast<__mmask8>(-1), bytes);
    }
#elif defined(__AVX2__)
    const auto wide = sizeof(T) == 4 ? _mm256_cvtepu8_epi32(bytes) : _mm256_cvtepu8_epi64(bytes);
#else
    const auto wide = sizeof(T) == 4 ? _mm_cvtepu8_epi32(bytes) : _mm_cvtepu8_epi64(bytes);
#endif
    return reinterpret_cast<Vec<Int<T>>>(wide);
  }
#endif
  Int<T> wide[kLanes<T>];
  for (int64_t i = 0; i < kLanes<T>; ++i) wide[i] = from[i];
  return load(wide);
}

// Taps to line[at ..] as far as they lie in [0, width).
template <typename T, typename Offset>
MINIDL_INLINE void store_taps(Offset* line, int64_t at, int64_t width, Vec<Int<T>> taps) {
  if (is_inside(at, kLanes<T>, width)) return store_narrow<T>(line + at, taps);
  const InsideLanes<T> lanes(at, width);
  Offset inside[kLanes<T>];
  store_narrow<T>(inside, taps);
#if defined(__AVX512F__)
  if constexpr (sizeof(Offset) == 1) {
    __m128i bytes{};
    std::memcpy(&bytes, inside, sizeof inside);
    _mm_mask_storeu_epi8(line + at, static_cast<__mmask16>(lanes.mask()), bytes);
    return;
  }
#endif
  for (int64_t i = lanes.begin; i < lanes.end; ++i) line[at + i] = inside[i];
}

// Taps from line[at ..], 0 where that is not in [0, width).
template <typename T, typename Offset>
MINIDL_INLINE Vec<Int<T>> load_taps(const Offset* line, int64_t at, int64_t width) {
  if (is_inside(at, kLanes<T>, width)) return load_wide<T>(line + at);
  const InsideLanes<T> lanes(at, width);
  Offset inside[kLanes<T>]{};
#if defined(__AVX512F__)
  if constexpr (sizeof(Offset) == 1) {
    const __m128i bytes = _mm_maskz_loadu_epi8(static_cast<__mmask16>(lanes.mask()), line + at);
    std::memcpy(inside, &bytes, sizeof inside);
    return load_wide<T>(inside);
  }
#endif
  for (int64_t i = lanes.begin; i < lanes.end; ++i) inside[i] = line[at + i];
  return load_wide<T>(inside);
}

}  // namespace minidl::cpu::MINIDL_ISA
