// The asynchronous proxy: bulk copies and wgmma see shared memory through it. What ordinary stores
// wrote, they see after the writing thread's fence and a barrier.
#pragma once

#include <cuda_runtime.h>

namespace minidl::cuda {

__device__ __forceinline__ void fence_proxy_async() {
#ifdef MINIDL_EMULATOR
  emulator::fence_proxy_async();
#elif __CUDA_ARCH__ >= 900
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

}  // namespace minidl::cuda
