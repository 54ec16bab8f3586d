// mma.sync: a warp multiplies a 16 x k by a k x 8 matrix and adds to 16 x 8 sums in float32. With
// group = lane / 4 and pair = lane % 4 * 2, a lane holds
//   sum  [0], [1]  sum[group][pair], [group][pair + 1];  [2], [3]  the same of row group + 8
//   16-bit operands, two neighbours along k in a register, low half first:
//   a    [0] a[group][pair], [1] a[group + 8][pair];  k = 16: [2], [3] the same at k + 8
//   b    [0] b[pair][group];                          k = 16: [1] b[pair + 8][group]
//   tf32 operands, k = 8, with one = lane % 4:
//   a    [0] a[group][one], [1] a[group + 8][one], [2] a[group][one + 4], [3] a[group + 8][one + 4]
//   b    [0] b[one][group], [1] b[one + 4][group]
// All 32 lanes take part. On a GPU below the capability that a wrapper names its body is empty: the
// host must not choose a kernel that uses it. has_mma<T> lets a kernel leave out what would be in
// vain.
#pragma once

#include <cuda_runtime.h>

#include <bit>
#include <cstdint>
#include <type_traits>

#include "common/half.h"
#include "cuda/ptx/warp.h"

namespace minidl::cuda {

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
template <class T>
inline constexpr bool has_mma = std::is_same_v<T, Half>;
#else
template <class T>
inline constexpr bool has_mma = true;
#endif

#ifdef MINIDL_EMULATOR
namespace host {

struct MmaOperands {
  float* sum;
  const std::uint32_t *a, *b;
};

// The 16-bit element that is half `index % 2` of register index / 2.
template <class T>
float half_of(const std::uint32_t* registers, int index) {
  T value;
  value.bits = static_cast<std::uint16_t>(registers[index / 2] >> (16 * (index % 2)));
  return static_cast<float>(value);
}

// The tensor core reads the upper 19 bits of a float.
inline float tf32_of(std::uint32_t bits) { return std::bit_cast<float>(bits & 0xFFFFE000u); }

template <class T, int depth>
struct MmaElements {
  static float a(void* const* lanes, int m, int k) {
    const auto* operands = static_cast<const MmaOperands*>(lanes[m % 8 * 4 + k % 8 / 2]);
    return half_of<T>(operands->a, 4 * (k / 8) + 2 * (m / 8) + k % 2);
  }
  static float b(void* const* lanes, int k, int n) {
    const auto* operands = static_cast<const MmaOperands*>(lanes[n * 4 + k % 8 / 2]);
    return half_of<T>(operands->b, 2 * (k / 8) + k % 2);
  }
};

template <int depth>
struct MmaElements<float, depth> {
  static float a(void* const* lanes, int m, int k) {
    const auto* operands = static_cast<const MmaOperands*>(lanes[m % 8 * 4 + k % 4]);
    return tf32_of(operands->a[2 * (k / 4) + m / 8]);
  }
  static float b(void* const* lanes, int k, int n) {
    return tf32_of(static_cast<const MmaOperands*>(lanes[n * 4 + k % 4])->b[k / 4]);
  }
};

// Products of two such operands are exact in float, their sum is rounded once.
template <class T, int depth>
void mma_lanes(void* const* lanes) {
  using Elements = MmaElements<T, depth>;
  float a[16][depth], b[8][depth];
  for (int k = 0; k < depth; ++k) {
    for (int m = 0; m < 16; ++m) a[m][k] = Elements::a(lanes, m, k);
    for (int n = 0; n < 8; ++n) b[n][k] = Elements::b(lanes, k, n);
  }
  for (int m = 0; m < 16; ++m) {
    for (int n = 0; n < 8; ++n) {
      float& sum =
          static_cast<const MmaOperands*>(lanes[m % 8 * 4 + n / 2])->sum[m / 8 * 2 + n % 2];
      double total = sum;
      for (int k = 0; k < depth; ++k) total += static_cast<double>(a[m][k]) * b[n][k];
      sum = static_cast<float>(total);
    }
  }
}

template <class T, int depth>
void mma(float* sum, const std::uint32_t* a, const std::uint32_t* b, int capability,
         emulator::Place place) {
  emulator::require(capability, place);
  MmaOperands operands{sum, a, b};
  emulator::collective(all_lanes, &operands, &mma_lanes<T, depth>, place);
}

}  // namespace host

template <class T>
void mma_m16n8k16(float (&sum)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                  const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  static_assert(std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>, "16-bit operands");
  host::mma<T, 16>(sum, a, b, std::is_same_v<T, Half> ? 75 : 80, {"mma_m16n8k16", file, line});
}

inline void mma_m16n8k8_half(float (&sum)[4], const std::uint32_t (&a)[2],
                             const std::uint32_t (&b)[1], const char* file = __builtin_FILE(),
                             int line = __builtin_LINE()) {
  host::mma<Half, 8>(sum, a, b, 75, {"mma_m16n8k8_half", file, line});
}

inline void mma_m16n8k8_tf32(float (&sum)[4], const std::uint32_t (&a)[4],
                             const std::uint32_t (&b)[2], const char* file = __builtin_FILE(),
                             int line = __builtin_LINE()) {
  host::mma<float, 8>(sum, a, b, 80, {"mma_m16n8k8_tf32", file, line});
}

inline std::uint32_t to_tf32(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const bool finite = (bits & 0x7F800000u) != 0x7F800000u;
  return finite ? (bits + 0x1000u) & 0xFFFFE000u : bits;
}
#else
// Capability 7.5.
__device__ __forceinline__ void mma_m16n8k8_half(float (&sum)[4], const std::uint32_t (&a)[2],
                                                 const std::uint32_t (&b)[1]) {
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, "
      "{%0, %1, %2, %3};"
      : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
      : "r"(a[0]), "r"(a[1]), "r"(b[0]));
}

// T is Half, capability 7.5 (where it is two instructions of half the depth), or BFloat16, 8.0.
template <class T>
__device__ __forceinline__ void mma_m16n8k16(float (&sum)[4], const std::uint32_t (&a)[4],
                                             const std::uint32_t (&b)[2]) {
  static_assert(std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>, "16-bit operands");
#if __CUDA_ARCH__ >= 800
  if constexpr (std::is_same_v<T, Half>) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  } else {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  }
#else
  if constexpr (std::is_same_v<T, Half>) {
    mma_m16n8k8_half(sum, {a[0], a[1]}, {b[0]});
    mma_m16n8k8_half(sum, {a[2], a[3]}, {b[1]});
  }
#endif
}

// Capability 8.0. The operands are floats of which the lower 13 bits are ignored: to_tf32() rounds.
__device__ __forceinline__ void mma_m16n8k8_tf32(float (&sum)[4], const std::uint32_t (&a)[4],
                                                 const std::uint32_t (&b)[2]) {
#if __CUDA_ARCH__ >= 800
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

// A float rounded to the 10 bits of a tf32's mantissa, ties away from zero. Capability 8.0.
__device__ __forceinline__ std::uint32_t to_tf32(float value) {
  std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
#if __CUDA_ARCH__ >= 800
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
#endif
  return bits;
}
#endif

}  // namespace minidl::cuda
