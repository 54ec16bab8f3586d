// Floats computed as doubles.
#pragma once

#include "cpu/simd/vec.h"

namespace minidl::cpu::MINIDL_ISA {

// As many floats as a vector has doubles.
typedef float HalfFloats __attribute__((vector_size(kVectorBytes / 2)));

template <int kHalf>
MINIDL_INLINE Vec<double> widen(const Vec<float>& x) {
  HalfFloats half;
  std::memcpy(&half, reinterpret_cast<const char*>(&x) + kHalf * sizeof half, sizeof half);
  return __builtin_convertvector(half, Vec<double>);
}

MINIDL_INLINE Vec<float> narrow(Vec<double> low, Vec<double> high) {
  const HalfFloats halves[2] = {__builtin_convertvector(low, HalfFloats),
                                __builtin_convertvector(high, HalfFloats)};
  Vec<float> x;
  std::memcpy(&x, halves, sizeof x);
  return x;
}

// f, a function of vectors of doubles, of floats.
template <typename F, typename... V>
MINIDL_INLINE Vec<float> in_double(const F& f, const V&... x) {
  return narrow(f(widen<0>(x)...), f(widen<1>(x)...));
}

}  // namespace minidl::cpu::MINIDL_ISA
