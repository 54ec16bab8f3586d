// wgmma (sm_90a): a warpgroup multiplies a 64 x k by a k x n matrix and adds to 64 x n sums in
// float32, asynchronously. b comes from shared memory, a from there or from registers; k is 16 for
// Half and BFloat16, 8 for float, which is read as tf32.
//
// Sums: with warp = thread / 32 % 4, group = lane / 4, pair = lane % 4 * 2, register 4 j + 2 h + i
// of a thread holds
//   sum[16 warp + group + 8 h][8 j + pair + i]
// a in registers: as mma_m16n8k16 wants it (mma.h), of rows 16 warp .. 16 warp + 15.
//
// Operands in shared memory are described by 64 bits, see descriptor(). Between an access to the
// sums by ordinary code and the first wgmma stands wgmma_fence(); wgmma_commit() makes a group of
// what was issued, wgmma_wait<n>() waits until n groups are left.
#pragma once

#include <cuda_runtime.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "common/half.h"
#include "cuda/ptx/mma.h"
#include "cuda/ptx/shared.h"
#include "cuda/ptx/warpgroup.h"
#include "cuda/tensor_map.h"

#ifndef MINIDL_EMULATOR
#include "cuda/ptx/wgmma_operands.h"
#endif

namespace minidl::cuda {

// Which axis of an operand lies side by side: k, or the other one (rows of a, columns of b), for
// two-byte types only.
enum class Major : int { k = 0, mn = 1 };

// Whether code is being compiled for a GPU that has wgmma: a kernel of it is empty elsewhere.
#if defined(MINIDL_EMULATOR) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
inline constexpr bool has_wgmma = true;
#else
inline constexpr bool has_wgmma = false;
#endif

template <class T>
inline constexpr int wgmma_depth = sizeof(T) == 4 ? 8 : 16;

// How an operand lies in shared memory, as the bulk tensor copy leaves it with the same swizzle, w
// bytes wide (128, 64, 32):
//   Major::k    element (mn, k) at  mn / 8 * stride_bytes + mn % 8 * w + k * itemsize, all k within
//   the w bytes Major::mn   element (mn, k) at  mn / u * leading_bytes + k / 8 * stride_bytes + k %
//   8 * w + mn % u * itemsize, u = w / itemsize
// `address` is shared_offset() of element (0, 0). For a further k of a K-major operand its bytes
// are added to the address.
__device__ __forceinline__ std::uint64_t descriptor(std::uint32_t address, int leading_bytes,
                                                    int stride_bytes, Swizzle swizzle) {
  const std::uint64_t mode =
      static_cast<std::uint64_t>(4 - static_cast<int>(swizzle));  // 1 is 128 bytes, 3 is 32
  return (static_cast<std::uint64_t>(address & 0x3FFFF) >> 4) |
         static_cast<std::uint64_t>(leading_bytes >> 4) << 16 |
         static_cast<std::uint64_t>(stride_bytes >> 4) << 32 | mode << 62;
}

#ifdef MINIDL_EMULATOR
inline std::uint32_t shared_offset(const void* pointer) {
  return static_cast<std::uint32_t>(static_cast<const std::byte*>(pointer) -
                                    emulator::shared_memory());
}

namespace host {

// An operand in shared memory, read through its descriptor.
struct WgmmaMatrix {
  std::uint64_t descriptor;
  Major major;
  emulator::Place place;

  template <class T>
  float at(int mn, int k) const {
    const auto field = [&](int shift) {
      return static_cast<int>(descriptor >> shift & 0x3FFF) << 4;
    };
    const int mode = static_cast<int>(descriptor >> 62), width = 256 >> mode;
    if (mode == 0) emulator::fail(place, "reads an operand without a swizzle");
    const int item = sizeof(T), unit = width / item;
    const int offset = major == Major::k ? mn / 8 * field(32) + mn % 8 * width + k * item
                                         : mn / unit * field(16) + k / 8 * field(32) +
                                               k % 8 * width + mn % unit * item;
    const std::size_t address = static_cast<std::size_t>(field(0) + offset);
    const std::size_t moved = swizzled(address, static_cast<Swizzle>(4 - mode));
    const std::byte* element = emulator::shared_memory() + moved;
    emulator::check_shared(element, item, place);
    emulator::check_fenced(element, item, place);
    T value;
    std::memcpy(&value, element, item);
    if constexpr (std::is_same_v<T, float>) return tf32_of(std::bit_cast<std::uint32_t>(value));
    return static_cast<float>(value);
  }
};

// What a thread brings: its sums, and its registers of a where a is in registers.
struct WgmmaThread {
  float* sum;
  const std::uint32_t* a;
};

template <class T, int n, class A>
void multiply(void* const* operands, const A& a_of, const WgmmaMatrix& b, bool add) {
  constexpr int depth = wgmma_depth<T>;
  std::vector<WgmmaThread> threads(warpgroup_size);
  for (int t = 0; t < warpgroup_size; ++t) threads[t] = *static_cast<WgmmaThread*>(operands[t]);
  emulator::start_multiplication([=, a = a_of(threads)] {
    float left[64][depth], right[n][depth];
    for (int k = 0; k < depth; ++k) {
      for (int m = 0; m < 64; ++m) left[m][k] = a(m, k);
      for (int j = 0; j < n; ++j) right[j][k] = b.at<T>(j, k);
    }
    for (int m = 0; m < 64; ++m) {
      for (int j = 0; j < n; ++j) {
        const WgmmaThread& thread = threads[m / 16 * 32 + m % 8 * 4 + j % 8 / 2];
        float& sum = thread.sum[j / 8 * 4 + m % 16 / 8 * 2 + j % 2];
        double total = add ? sum : 0.0f;
        for (int k = 0; k < depth; ++k) total += static_cast<double>(left[m][k]) * right[j][k];
        sum = static_cast<float>(total);
      }
    }
  });
}

}  // namespace host

inline void wgmma_fence() {}

template <class T, int n, Major a_major, Major b_major>
void wgmma(float (&sum)[n / 2], std::uint64_t a, std::uint64_t b, bool add,
           const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  const emulator::Place place{"wgmma", file, line};
  host::WgmmaThread thread{sum, nullptr};
  emulator::warpgroup(
      &thread,
      [&](void* const* operands) {
        const host::WgmmaMatrix left{a, a_major, place}, right{b, b_major, place};
        host::multiply<T, n>(
            operands,
            [&](const auto&) { return [left](int m, int k) { return left.at<T>(m, k); }; }, right,
            add);
      },
      place);
}

template <class T, int n, Major b_major>
void wgmma_registers(float (&sum)[n / 2], const std::uint32_t (&a)[4], std::uint64_t b, bool add,
                     const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  const emulator::Place place{"wgmma_registers", file, line};
  host::WgmmaThread thread{sum, a};
  emulator::warpgroup(
      &thread,
      [&](void* const* operands) {
        const host::WgmmaMatrix right{b, b_major, place};
        host::multiply<T, n>(
            operands,
            [](const auto& threads) {
              return [threads](int m, int k) {
                const auto* registers = threads[m / 16 * 32 + m % 8 * 4 + k % 8 / 2].a;
                return host::half_of<T>(registers, 4 * (k / 8) + 2 * (m % 16 / 8) + k % 2);
              };
            },
            right, add);
      },
      place);
}

inline void wgmma_commit(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  emulator::warpgroup(nullptr, [](void* const*) { emulator::commit_multiplications(); },
                      {"wgmma_commit", file, line});
}

template <int pending>
void wgmma_wait(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  emulator::warpgroup(nullptr, [](void* const*) { emulator::wait_for_multiplications(pending); },
                      {"wgmma_wait", file, line});
}
#else
__device__ __forceinline__ std::uint32_t shared_offset(const void* pointer) {
  return shared_address(pointer);
}

__device__ __forceinline__ void wgmma_fence() {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#endif
}

__device__ __forceinline__ void wgmma_commit() {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#endif
}

template <int pending>
__device__ __forceinline__ void wgmma_wait() {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(pending) : "memory");
#endif
}

// One shape and type; after the sums the operands are a, b, whether to add, and how a and b lie.
#define MINIDL_WGMMA(n, count, a, b, p, a_major_at, b_major_at, type)                      \
  asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %" #p                                     \
               ", 0;\nwgmma.mma_async.sync.aligned.m64n" #n "k16.f32." type "." type       \
               " {" MINIDL_REGISTERS_##count "}, %" #a ", %" #b ", p, 1, 1, %" #a_major_at \
                                             ", %" #b_major_at ";\n}"                      \
               : MINIDL_SUMS_##count(0)                                                    \
               : "l"(a_descriptor), "l"(b_descriptor), "r"(static_cast<int>(add)),         \
                 "n"(static_cast<int>(a_major)), "n"(static_cast<int>(b_major)))

#define MINIDL_WGMMA_TF32(n, count, a, b, p)                                                    \
  asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %" #p                                          \
               ", 0;\nwgmma.mma_async.sync.aligned.m64n" #n                                     \
               "k8.f32.tf32.tf32 {" MINIDL_REGISTERS_##count "}, %" #a ", %" #b ", p, 1, 1;\n}" \
               : MINIDL_SUMS_##count(0)                                                         \
               : "l"(a_descriptor), "l"(b_descriptor), "r"(static_cast<int>(add)))

#define MINIDL_WGMMA_OF(n, count, a, b, p, a_major_at, b_major_at)   \
  if constexpr (std::is_same_v<T, float>) {                          \
    MINIDL_WGMMA_TF32(n, count, a, b, p);                            \
  } else if constexpr (std::is_same_v<T, Half>) {                    \
    MINIDL_WGMMA(n, count, a, b, p, a_major_at, b_major_at, "f16");  \
  } else {                                                           \
    MINIDL_WGMMA(n, count, a, b, p, a_major_at, b_major_at, "bf16"); \
  }

// `add`: to the sums; else they are overwritten. n is 64, 128 or 256; float takes K-major operands
// only.
template <class T, int n, Major a_major, Major b_major>
__device__ __forceinline__ void wgmma(float (&sum)[n / 2], std::uint64_t a_descriptor,
                                      std::uint64_t b_descriptor, bool add) {
  static_assert(n == 64 || n == 128 || n == 256, "the widths that kernels use");
  static_assert(!std::is_same_v<T, float> || (a_major == Major::k && b_major == Major::k),
                "tf32 operands lie along k");
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  if constexpr (n == 64) {
    MINIDL_WGMMA_OF(64, 32, 32, 33, 34, 35, 36)
  } else if constexpr (n == 128) {
    MINIDL_WGMMA_OF(128, 64, 64, 65, 66, 67, 68)
  } else {
    MINIDL_WGMMA_OF(256, 128, 128, 129, 130, 131, 132)
  }
#endif
}

#define MINIDL_WGMMA_REGISTERS(type)                                                               \
  asm volatile(                                                                                    \
      "{\n.reg .pred p;\nsetp.ne.b32 p, %37, 0;\n"                                                 \
      "wgmma.mma_async.sync.aligned.m64n64k16.f32." type "." type " {" MINIDL_REGISTERS_32         \
      "}, {%32, %33, %34, %35}, %36, p, 1, 1, %38;\n}"                                             \
      : MINIDL_SUMS_32(0)                                                                          \
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b_descriptor), "r"(static_cast<int>(add)), \
        "n"(static_cast<int>(b_major)))

// The same with a in registers; n is 64, T Half or BFloat16.
template <class T, int n, Major b_major>
__device__ __forceinline__ void wgmma_registers(float (&sum)[n / 2], const std::uint32_t (&a)[4],
                                                std::uint64_t b_descriptor, bool add) {
  static_assert(n == 64 && sizeof(T) == 2, "the shape that kernels use");
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  if constexpr (std::is_same_v<T, Half>) {
    MINIDL_WGMMA_REGISTERS("f16");
  } else {
    MINIDL_WGMMA_REGISTERS("bf16");
  }
#endif
}
#undef MINIDL_WGMMA
#undef MINIDL_WGMMA_TF32
#undef MINIDL_WGMMA_OF
#undef MINIDL_WGMMA_REGISTERS
#endif

}  // namespace minidl::cuda
