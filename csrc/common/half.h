// float16 and bfloat16 as storage: two bytes in memory, float in arithmetic. Conversions round to
// nearest even, as NumPy's and ml_dtypes' do; NaN stays NaN. On a GPU that has instructions for it,
// a conversion is one.
#pragma once

#include <bit>
#include <cstdint>

#ifdef __CUDACC__
#define MINIDL_HOST_DEVICE __host__ __device__ __forceinline__
#else
#define MINIDL_HOST_DEVICE
#endif

namespace minidl {

struct BFloat16 {
  uint16_t bits;

  BFloat16() = default;
  explicit MINIDL_HOST_DEVICE BFloat16(float value) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(value));
#else
    const uint32_t word = std::bit_cast<uint32_t>(value);
    const bool nan = (word & 0x7FFFFFFFu) > 0x7F800000u;
    // Adding just under half a unit, plus one where the kept part is odd, rounds to even.
    const uint32_t rounded = word + 0x7FFFu + ((word >> 16) & 1u);
    bits = static_cast<uint16_t>(nan ? (word >> 16) | 0x40u : rounded >> 16);
#endif
  }
  MINIDL_HOST_DEVICE operator float() const {
    return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
  }
};

struct Half {
  uint16_t bits;

  Half() = default;
  explicit MINIDL_HOST_DEVICE Half(float value) {
#ifdef __CUDA_ARCH__
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
#else
    const uint32_t word = std::bit_cast<uint32_t>(value);
    const uint32_t sign = (word >> 16) & 0x8000u;
    const uint32_t magnitude = word & 0x7FFFFFFFu;
    uint32_t half;
    if (magnitude > 0x7F800000u) {
      half = 0x7E00u | ((magnitude >> 13) & 0x3FFu);  // NaN, with its payload
    } else if (magnitude >= 0x477FF000u) {
      half = 0x7C00u;  // 65520 and above round to infinity
    } else if (magnitude >= 0x38800000u) {
      half = (magnitude - 0x38000000u + 0xFFFu + ((magnitude >> 13) & 1u)) >> 13;
    } else {
      // Subnormal: in the sum with 0.5 the units of a float are those of a subnormal half.
      half = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3F000000u;
    }
    bits = static_cast<uint16_t>(sign | half);
#endif
  }
  MINIDL_HOST_DEVICE operator float() const {
#ifdef __CUDA_ARCH__
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
    return value;
#else
    const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
    const uint32_t magnitude = bits & 0x7FFFu;
    // Shifted into a float's fields the value is 2^112 too small, which the product repairs, and
    // subnormals are normalised by the way; infinity and NaN need their exponent filled up.
    const float scaled = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
    const uint32_t special = magnitude >= 0x7C00u ? 0x7F800000u : 0u;
    return std::bit_cast<float>(sign | special | std::bit_cast<uint32_t>(scaled));
#endif
  }
};

// The type that a kernel computes in.
template <class T>
struct Accumulator {
  using type = T;
};
template <>
struct Accumulator<Half> {
  using type = float;
};
template <>
struct Accumulator<BFloat16> {
  using type = float;
};
template <class T>
using accumulator_t = typename Accumulator<T>::type;

}  // namespace minidl
