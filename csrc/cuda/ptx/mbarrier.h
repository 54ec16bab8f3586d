// mbarrier (sm_90): a barrier in shared memory that counts arrivals of threads and bytes of
// asynchronous copies. A phase ends when all expected arrivals and all announced bytes have come;
// waiting names the parity of the phase that is waited for, 0 for the first.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "cuda/ptx/shared.h"

namespace minidl::cuda {

using MBarrier = std::uint64_t;  // in shared memory, aligned to 8 bytes

#ifdef MINIDL_EMULATOR
inline void mbarrier_init(MBarrier* barrier, unsigned arrivals, const char* file = __builtin_FILE(),
                          int line = __builtin_LINE()) {
  emulator::mbarrier_init(barrier, arrivals, {"mbarrier_init", file, line});
}
inline void fence_mbarrier_init() {}
inline void mbarrier_arrive(MBarrier* barrier, const char* file = __builtin_FILE(),
                            int line = __builtin_LINE()) {
  emulator::mbarrier_arrive(barrier, 0, {"mbarrier_arrive", file, line});
}
inline void mbarrier_arrive_expect(MBarrier* barrier, std::uint32_t bytes,
                                   const char* file = __builtin_FILE(),
                                   int line = __builtin_LINE()) {
  emulator::mbarrier_arrive(barrier, bytes, {"mbarrier_arrive_expect", file, line});
}
inline void mbarrier_wait(MBarrier* barrier, unsigned parity, const char* file = __builtin_FILE(),
                          int line = __builtin_LINE()) {
  emulator::mbarrier_wait(barrier, parity, {"mbarrier_wait", file, line});
}
#else
__device__ __forceinline__ void mbarrier_init(MBarrier* barrier, unsigned arrivals) {
#if __CUDA_ARCH__ >= 900
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)),
               "r"(arrivals)
               : "memory");
#endif
}

// Makes initialised barriers known to the asynchronous proxy.
__device__ __forceinline__ void fence_mbarrier_init() {
#if __CUDA_ARCH__ >= 900
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
#endif
}

__device__ __forceinline__ void mbarrier_arrive(MBarrier* barrier) {
#if __CUDA_ARCH__ >= 900
  asm volatile("mbarrier.arrive.release.cta.shared::cta.b64 _, [%0];" ::"r"(shared_address(barrier))
               : "memory");
#endif
}

// Arrives, and announces bytes that asynchronous copies will bring in this phase.
__device__ __forceinline__ void mbarrier_arrive_expect(MBarrier* barrier, std::uint32_t bytes) {
#if __CUDA_ARCH__ >= 900
  asm volatile("mbarrier.arrive.expect_tx.release.cta.shared::cta.b64 _, [%0], %1;" ::"r"(
                   shared_address(barrier)),
               "r"(bytes)
               : "memory");
#endif
}

__device__ __forceinline__ void mbarrier_wait(MBarrier* barrier, unsigned parity) {
#if __CUDA_ARCH__ >= 900
  std::uint32_t done = 0;
  while (!done) {
    asm volatile(
        "{\n.reg .pred p;\n"
        "mbarrier.try_wait.parity.acquire.cta.shared::cta.b64 p, [%1], %2;\n"
        "selp.b32 %0, 1, 0, p;\n}"
        : "=r"(done)
        : "r"(shared_address(barrier)), "r"(parity)
        : "memory");
  }
#endif
}
#endif

}  // namespace minidl::cuda
