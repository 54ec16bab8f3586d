// Vectors of the width of the level that this file is compiled for, and what GCC's vector
// extensions lack. + - * /, comparisons and ?: work on Vec<T> as they are; a * b + c becomes an FMA
// where the level has one. A comparison gives a vector of integers, 0 or -1 a lane.
#pragma once

#include <cstdint>
#include <cstring>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "cpu/isa.h"

#ifndef MINIDL_ISA
#error "only for files of cpu/simd, which are compiled once a level"
#endif

namespace minidl::cpu::MINIDL_ISA {

#if defined(__AVX512F__)
inline constexpr int64_t kVectorBytes = 64;
#elif defined(__AVX2__)
inline constexpr int64_t kVectorBytes = 32;
#else
inline constexpr int64_t kVectorBytes = 16;
#endif

template <typename T>
inline constexpr int64_t kLanes = kVectorBytes / static_cast<int64_t>(sizeof(T));

template <typename T>
struct VecOf;
template <>
struct VecOf<float> {
  typedef float type __attribute__((vector_size(kVectorBytes)));
};
template <>
struct VecOf<double> {
  typedef double type __attribute__((vector_size(kVectorBytes)));
};
template <>
struct VecOf<int32_t> {
  typedef int32_t type __attribute__((vector_size(kVectorBytes)));
};
template <>
struct VecOf<int64_t> {
  typedef int64_t type __attribute__((vector_size(kVectorBytes)));
};
template <typename T>
using Vec = typename VecOf<T>::type;

// The element of a vector or a scalar; the integer as wide as a float, and vectors of it.
template <typename V>
struct LaneOf {
  using type = V;
};
template <>
struct LaneOf<Vec<float>> {
  using type = float;
};
template <>
struct LaneOf<Vec<double>> {
  using type = double;
};
template <>
struct LaneOf<Vec<int32_t>> {
  using type = int32_t;
};
template <>
struct LaneOf<Vec<int64_t>> {
  using type = int64_t;
};
template <typename V>
using Lane = typename LaneOf<V>::type;

template <typename V>
struct IntOf;
template <>
struct IntOf<float> {
  using type = int32_t;
};
template <>
struct IntOf<double> {
  using type = int64_t;
};
template <>
struct IntOf<Vec<float>> {
  using type = Vec<int32_t>;
};
template <>
struct IntOf<Vec<double>> {
  using type = Vec<int64_t>;
};
template <typename V>
using Int = typename IntOf<V>::type;

// The same without a sign, for arithmetic that may wrap around.
template <typename V>
struct WordsOf {
  using type = std::make_unsigned_t<Int<V>>;
};
template <>
struct WordsOf<Vec<float>> {
  typedef uint32_t type __attribute__((vector_size(kVectorBytes)));
};
template <>
struct WordsOf<Vec<double>> {
  typedef uint64_t type __attribute__((vector_size(kVectorBytes)));
};

// All lanes x.
template <typename T>
MINIDL_INLINE Vec<T> splat(T x) {
  return x - Vec<T>{};  // x - 0 keeps the sign of zero
}

template <typename T>
MINIDL_INLINE Vec<T> load(const T* from) {
  Vec<T> v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

template <typename T>
MINIDL_INLINE void store(T* to, Vec<T> v) {
  std::memcpy(to, &v, sizeof v);
}

// sum + *x * factor, all lanes by the same x. Spreading x over a register takes an instruction that
// a row's vectors share; `in_memory`, as an operand of the FMA itself (AVX-512), a load for each.
// A tile takes about every second row of its sums so: neither the decoders, which another thread of
// the core may share, nor the two loads a cycle hold up the FMAs. Not worth it where the address
// needs an instruction.
template <typename T>
MINIDL_INLINE Vec<T> add_scaled(const T* x, Vec<T> factor, Vec<T> sum,
                                [[maybe_unused]] bool in_memory) {
#if defined(__AVX512F__) && !defined(__SANITIZE_ADDRESS__)
  if (in_memory) {
    if constexpr (sizeof(T) == 4) {
      asm("vfmadd231ps %1%{1to16%}, %2, %0" : "+v"(sum) : "m"(*x), "v"(factor));
    } else {
      asm("vfmadd231pd %1%{1to8%}, %2, %0" : "+v"(sum) : "m"(*x), "v"(factor));
    }
    return sum;
  }
#endif
  return splat(*x) * factor + sum;
}

// The first n lanes (0 <= n <= kLanes), the others `rest`; reads nothing beyond.
template <typename T>
MINIDL_INLINE Vec<T> load_n(const T* from, int64_t n, T rest = T(0)) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    const auto mask = static_cast<__mmask16>((1u << n) - 1);
    if constexpr (std::is_same_v<T, float>) {
      return reinterpret_cast<Vec<T>>(
          _mm512_mask_loadu_ps(reinterpret_cast<__m512>(splat(rest)), mask, from));
    } else {
      return reinterpret_cast<Vec<T>>(
          _mm512_mask_loadu_epi32(reinterpret_cast<__m512i>(splat(rest)), mask, from));
    }
  } else {
    const auto mask = static_cast<__mmask8>((1u << n) - 1);
    if constexpr (std::is_same_v<T, double>) {
      return reinterpret_cast<Vec<T>>(
          _mm512_mask_loadu_pd(reinterpret_cast<__m512d>(splat(rest)), mask, from));
    } else {
      return reinterpret_cast<Vec<T>>(
          _mm512_mask_loadu_epi64(reinterpret_cast<__m512i>(splat(rest)), mask, from));
    }
  }
#else
  T lanes[kLanes<T>];
  for (int64_t i = 0; i < kLanes<T>; ++i) lanes[i] = rest;
  for (int64_t i = 0; i < n; ++i) lanes[i] = from[i];
  return load(lanes);
#endif
}

// Stores the first n lanes (0 <= n <= kLanes); writes nothing beyond.
template <typename T>
MINIDL_INLINE void store_n(T* to, int64_t n, Vec<T> v) {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<T, float>) {
    _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << n) - 1), reinterpret_cast<__m512>(v));
  } else if constexpr (std::is_same_v<T, double>) {
    _mm512_mask_storeu_pd(to, static_cast<__mmask8>((1u << n) - 1), reinterpret_cast<__m512d>(v));
  } else if constexpr (sizeof(T) == 4) {
    _mm512_mask_storeu_epi32(to, static_cast<__mmask16>((1u << n) - 1),
                             reinterpret_cast<__m512i>(v));
  } else {
    _mm512_mask_storeu_epi64(to, static_cast<__mmask8>((1u << n) - 1),
                             reinterpret_cast<__m512i>(v));
  }
#else
  T lanes[kLanes<T>];
  store(lanes, v);
  for (int64_t i = 0; i < n; ++i) to[i] = lanes[i];
#endif
}

// mask ? a : b for vectors and scalars alike.
template <typename M, typename V>
MINIDL_INLINE V select(M mask, V a, V b) {
  return mask ? a : b;
}

// Whether a comparison holds in any lane.
template <typename M>
MINIDL_INLINE bool any(M mask) {
#if defined(__AVX512F__)
  const auto bits = reinterpret_cast<__m512i>(mask);
  return _mm512_test_epi64_mask(bits, bits) != 0;
#elif defined(__AVX2__)
  const auto bits = reinterpret_cast<__m256i>(mask);
  return _mm256_testz_si256(bits, bits) == 0;
#elif defined(__SSE4_1__)
  const auto bits = reinterpret_cast<__m128i>(mask);
  return _mm_testz_si128(bits, bits) == 0;
#else
  int64_t words[sizeof mask / 8], found = 0;
  std::memcpy(words, &mask, sizeof mask);
  for (const int64_t word : words) found |= word;
  return found != 0;
#endif
}

// Calls f of each lane.
template <typename T, typename F>
MINIDL_INLINE Vec<T> lanewise(Vec<T> x, const F& f) {
  T lanes[kLanes<T>];
  store(lanes, x);
  for (T& lane : lanes) lane = f(lane);
  return load(lanes);
}

// a where a > b, else b: a NaN in b wins, a NaN in a is passed over (the SSE instruction).
template <typename V>
MINIDL_INLINE V max_or_b(V a, V b) {
  return a > b ? a : b;
}
template <typename V>
MINIDL_INLINE V min_or_b(V a, V b) {
  return a < b ? a : b;
}

// The bits of a float or a vector of floats as integers, and back.
template <typename V>
MINIDL_INLINE Int<V> bits_of(V v) {
  Int<V> bits;
  static_assert(sizeof bits == sizeof v);
  std::memcpy(&bits, &v, sizeof v);
  return bits;
}
template <typename V>
MINIDL_INLINE V from_bits(Int<V> bits) {
  V v;
  std::memcpy(&v, &bits, sizeof v);
  return v;
}

// bits_of(v) + constant, wrapping around: an exponent that overflows belongs to a lane whose result
// is not used, and signed integers may not overflow.
template <typename V>
MINIDL_INLINE Int<V> bits_plus(V v, Lane<Int<V>> constant) {
  using Word = std::make_unsigned_t<Lane<Int<V>>>;
  using Words = typename WordsOf<V>::type;
  Words words;
  std::memcpy(&words, &v, sizeof v);
  words += static_cast<Word>(constant);
  Int<V> bits;
  std::memcpy(&bits, &words, sizeof v);
  return bits;
}

// The lanes of v from `First` on, as many as there are indices.
template <size_t First, typename V, size_t... I>
MINIDL_INLINE auto some_lanes(V v, std::index_sequence<I...>) {
  return __builtin_shufflevector(v, v, (First + I)...);
}

// Combines the lanes pairwise, halves first: an order that depends on the width alone. `combine`
// takes two vectors of fewer lanes, and at last two scalars.
template <size_t Lanes, typename V, typename Combine>
MINIDL_INLINE auto across(V v, const Combine& combine) {
  if constexpr (Lanes == 2) {
    return combine(v[0], v[1]);
  } else {
    constexpr auto half = std::make_index_sequence<Lanes / 2>{};
    return across<Lanes / 2>(combine(some_lanes<0>(v, half), some_lanes<Lanes / 2>(v, half)),
                             combine);
  }
}
template <typename T>
MINIDL_INLINE T sum_lanes(Vec<T> v) {
  return across<kLanes<T>>(v, [](auto a, auto b) { return a + b; });
}
// A NaN may be passed over.
template <typename T>
MINIDL_INLINE T max_lanes(Vec<T> v) {
  return across<kLanes<T>>(v, [](auto a, auto b) { return max_or_b(a, b); });
}

}  // namespace minidl::cpu::MINIDL_ISA
