// Remainders of division, exact as in the C library: x - n y is a number of the type for the
// integer n nearest to x / y, and so is what stands one y beside it.
#pragma once

#include <cmath>
#include <limits>

#include "cpu/simd/math.h"

namespace minidl::cpu::MINIDL_ISA {

// x - n y, rounded once.
template <typename V>
MINIDL_INLINE V minus_product(V x, V n, V y) {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<V, Vec<float>>) {
    return reinterpret_cast<V>(_mm512_fnmadd_ps(
        reinterpret_cast<__m512>(n), reinterpret_cast<__m512>(y), reinterpret_cast<__m512>(x)));
  } else {
    return reinterpret_cast<V>(_mm512_fnmadd_pd(
        reinterpret_cast<__m512d>(n), reinterpret_cast<__m512d>(y), reinterpret_cast<__m512d>(x)));
  }
#elif defined(__FMA__)
  if constexpr (std::is_same_v<V, Vec<float>>) {
    return reinterpret_cast<V>(_mm256_fnmadd_ps(
        reinterpret_cast<__m256>(n), reinterpret_cast<__m256>(y), reinterpret_cast<__m256>(x)));
  } else {
    return reinterpret_cast<V>(_mm256_fnmadd_pd(
        reinterpret_cast<__m256d>(n), reinterpret_cast<__m256d>(y), reinterpret_cast<__m256d>(x)));
  }
#else
  V found;
  for (int64_t i = 0; i < kLanes<Lane<V>>; ++i) found[i] = std::fma(-n[i], y[i], x[i]);
  return found;
#endif
}

// The sign of x; NaN for y = 0 and infinite x.
template <typename V>
MINIDL_INLINE V fmod(V x, V y) {
  using T = Lane<V>;
  const V size = absolute(x), unit = absolute(y), ratio = size / unit;
  constexpr T kMost = kSingle<V> ? T(1 << 22) : T(int64_t{1} << 51);  // what adding kRound rounds
  const auto plain = (ratio < kMost) & (unit <= std::numeric_limits<T>::max());
  V found;
  if (any(~plain)) {
    for (int64_t i = 0; i < kLanes<T>; ++i) found[i] = std::fmod(x[i], y[i]);
    return found;
  }
  const V nearest = (ratio + kRound<V>)-kRound<V>;
  found = minus_product(size, nearest, unit);
  found = found < T(0) ? found + unit : found;
  return copy_sign(found, x);
}

// The sign of y.
template <typename V>
MINIDL_INLINE V remainder(V x, V y) {
  using T = Lane<V>;
  const V rest = fmod(x, y);
  return (rest != T(0)) & ((rest < T(0)) != (y < T(0))) ? rest + y : rest;
}

}  // namespace minidl::cpu::MINIDL_ISA
