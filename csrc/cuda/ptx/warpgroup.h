// Warpgroups (sm_90): four neighbouring warps, the first of which has a number that 4 divides; what
// they may do with registers and barriers of their own.
#pragma once

#include <cuda_runtime.h>

namespace minidl::cuda {

inline constexpr int warpgroup_size = 128;

// Gives registers back, or takes them: `count` a thread from here on, a multiple of 8. All four
// warps take part, and each role of a kernel is one branch of a single if.
template <int count>
__device__ __forceinline__ void decrease_registers() {
  static_assert(count % 8 == 0 && count >= 24 && count <= 256, "24 to 256, a multiple of 8");
#if !defined(MINIDL_EMULATOR) && defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(count));
#endif
}
template <int count>
__device__ __forceinline__ void increase_registers() {
  static_assert(count % 8 == 0 && count >= 24 && count <= 256, "24 to 256, a multiple of 8");
#if !defined(MINIDL_EMULATOR) && defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(count));
#endif
}

#ifdef MINIDL_EMULATOR
inline void named_barrier(unsigned number, unsigned count, const char* file = __builtin_FILE(),
                          int line = __builtin_LINE()) {
  emulator::named_barrier(number, count, true, {"named_barrier", file, line});
}
inline void named_barrier_arrive(unsigned number, unsigned count,
                                 const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  emulator::named_barrier(number, count, false, {"named_barrier_arrive", file, line});
}
#else
// Waits until `count` threads, whole warps, have come to barrier `number` (1 to 15; 0 is
// __syncthreads).
__device__ __forceinline__ void named_barrier(unsigned number, unsigned count) {
  asm volatile("bar.sync %0, %1;" ::"r"(number), "r"(count) : "memory");
}

// Counts as come, and goes on.
__device__ __forceinline__ void named_barrier_arrive(unsigned number, unsigned count) {
  asm volatile("bar.arrive %0, %1;" ::"r"(number), "r"(count) : "memory");
}
#endif

}  // namespace minidl::cuda
