// Between random.cpp and random_fill.cu: what a thread makes of the words of a block.
#pragma once

#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>

#include "common/half.h"
#include "common/philox.h"
#include "cuda/pack.h"
#include "cuda/ptx/unroll.h"
#include "cuda/random.h"

namespace minidl::cuda {

// The number of the block that a draw starts at.
__device__ __forceinline__ std::uint64_t first_block(const RandomStream& stream) {
  return stream.offset + (stream.offset_word ? *stream.offset_word : 0);
}

// Elements of T that a block of four words gives: a word each, two for 64 bits.
template <class T>
inline constexpr int drawn_elements = sizeof(T) == 8 ? 2 : 4;

struct BitsDraw {
  template <class T>
  __device__ __forceinline__ void operator()(const PhiloxBlock& block, T* to) const {
    MINIDL_UNROLL
    for (int i = 0; i < drawn_elements<T>; ++i) {
      if constexpr (sizeof(T) == 8) {
        to[i] = philox_pair(block.word + 2 * i);
      } else {
        to[i] = block.word[i];
      }
    }
  }
};

struct UniformDraw {
  __device__ static void convert(const std::uint32_t* w, float& to) { to = philox_unit_float(*w); }
  __device__ static void convert(const std::uint32_t* w, Half& to) {
    to = Half(static_cast<float>(*w >> 21) * 0x1p-11f);
  }
  __device__ static void convert(const std::uint32_t* w, BFloat16& to) {
    to = BFloat16(static_cast<float>(*w >> 24) * 0x1p-8f);
  }
  __device__ static void convert(const std::uint32_t* w, double& to) {
    to = philox_unit_double(philox_pair(w));
  }
  template <class T>
  __device__ __forceinline__ void operator()(const PhiloxBlock& block, T* to) const {
    MINIDL_UNROLL
    for (int i = 0; i < drawn_elements<T>; ++i)
      convert(block.word + i * (4 / drawn_elements<T>), to[i]);
  }
};

// log of u = (word + 1/2) 2^-32. Near 1 by the distance from it, which a rounded u has lost.
__device__ __forceinline__ float log_of_open_unit(std::uint32_t word) {
  if (word >= 0x80000000u) return std::log1p((static_cast<float>(~word) + 0.5f) * -0x1p-32f);
  return std::log((static_cast<float>(word) + 0.5f) * 0x1p-32f);
}
__device__ __forceinline__ double log_of_open_unit(std::uint64_t pair) {
  return std::log(philox_open_unit(pair));
}

// Sine and cosine of r, |r| <= pi / 4, and `quarter` quarters of a turn more. By their series: the
// functions of the library keep a table on the stack for angles that do not come up here.
template <class Real>
__device__ __forceinline__ void sine_and_cosine(Real r, unsigned quarter, Real& sine,
                                                Real& cosine) {
  constexpr int terms = sizeof(Real) == 8 ? 9 : 5;
  const Real square = r * r;
  Real s = 1, c = 1;  // Horner's rule on the series of sin(r) / r and of cos(r)
  MINIDL_UNROLL
  for (int n = terms; n >= 1; --n) {
    s = 1 - s * square * (Real(1) / (2 * n * (2 * n + 1)));
    c = 1 - c * square * (Real(1) / (2 * n * (2 * n - 1)));
  }
  s *= r;
  sine = quarter % 2 ? c : s;
  cosine = quarter % 2 ? s : c;
  if (quarter & 2) sine = -sine;
  if ((quarter + 1) & 2) cosine = -cosine;
}

// sine and cosine of 2 pi (word + 1/2) 2^-32: the quarter and what is left of it come from the
// bits.
__device__ __forceinline__ void of_turn(std::uint32_t word, float& sine, float& cosine) {
  const std::uint32_t quarter = (word + 0x20000000u) >> 30;
  const auto rest = static_cast<std::int32_t>(word - (quarter << 30));
  const float r = static_cast<float>(2 * rest + 1) * 7.3145906e-10f;  // pi 2^-32
  sine_and_cosine(r, quarter, sine, cosine);
}
// The same of the open unit's 52 bits, of the angle rounded as the reference rounds it.
__device__ __forceinline__ void of_turn(std::uint64_t pair, double& sine, double& cosine) {
  const double angle = philox_open_unit(pair) * 6.283185307179586477;
  const auto quarter = static_cast<unsigned>(angle * 0.636619772367581343 + 0.5);
  const double rest = std::fma(-static_cast<double>(quarter), 1.5707963267948966, angle);
  const double r = std::fma(-static_cast<double>(quarter), 6.123233995736766e-17, rest);
  sine_and_cosine(r, quarter, sine, cosine);
}

// Box-Muller: two normals of two uniforms. 16-bit floats are rounded from float.
struct NormalDraw {
  template <class T>
  __device__ __forceinline__ void operator()(const PhiloxBlock& block, T* to) const {
    using Real = accumulator_t<T>;
    constexpr int step = 4 / drawn_elements<T>;
    MINIDL_UNROLL
    for (int i = 0; i < drawn_elements<T>; i += 2) {
      const std::uint32_t *first = block.word + i * step, *second = first + step;
      Real sine, cosine, log;
      if constexpr (sizeof(T) == 8) {
        log = log_of_open_unit(philox_pair(first));
        of_turn(philox_pair(second), sine, cosine);
      } else {
        log = log_of_open_unit(*first);
        of_turn(*second, sine, cosine);
      }
      const Real radius = std::sqrt(log * -2);
      to[i] = static_cast<T>(radius * cosine);
      to[i + 1] = static_cast<T>(radius * sine);
    }
  }
};

struct ExponentialDraw {
  template <class T>
  __device__ __forceinline__ void operator()(const PhiloxBlock& block, T* to) const {
    MINIDL_UNROLL
    for (int i = 0; i < drawn_elements<T>; ++i) {
      if constexpr (sizeof(T) == 8) {
        to[i] = -log_of_open_unit(philox_pair(block.word + 2 * i));
      } else {
        to[i] = static_cast<T>(-log_of_open_unit(block.word[i]));
      }
    }
  }
};

// floor(pair * span / 2^64)
__device__ __forceinline__ std::uint64_t multiply_high(std::uint64_t pair, std::uint64_t span) {
  return static_cast<std::uint64_t>((static_cast<unsigned __int128>(pair) * span) >> 64);
}

// Integers of two words, for a span of at most 2^32.
struct IntegersDraw {
  std::uint64_t low, span;
  __device__ __forceinline__ void operator()(const PhiloxBlock& block, std::int64_t* to) const {
    for (int i = 0; i < 2; ++i)
      to[i] = static_cast<std::int64_t>(low + multiply_high(philox_pair(block.word + 2 * i), span));
  }
};

// Integers of four words, for any span; 0 is 2^64.
struct WideIntegersDraw {
  std::uint64_t low, span;
  __device__ __forceinline__ void operator()(const PhiloxBlock& block, std::int64_t* to) const {
    const std::uint64_t high = philox_pair(block.word + 2), rest = philox_pair(block.word);
    const auto product = static_cast<unsigned __int128>(high) * span + multiply_high(rest, span);
    *to = static_cast<std::int64_t>(low +
                                    (span == 0 ? high : static_cast<std::uint64_t>(product >> 64)));
  }
};

template <class Draw, class T>
inline constexpr int elements_per_block = drawn_elements<T>;
template <>
inline constexpr int elements_per_block<WideIntegersDraw, std::int64_t> = 1;

template <class Draw, class T>
void random_fill(const Draw& draw, T* out, std::int64_t count, const RandomStream& stream,
                 Stream on);

}  // namespace minidl::cuda
