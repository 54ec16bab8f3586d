// Dynamic shared memory, the only kind that kernels use: an emulated block has its own.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace minidl::cuda {

// The start of the block's dynamic shared memory, aligned to 1024 bytes: swizzled tiles want it.
template <class T>
__device__ __forceinline__ T* dynamic_shared() {
#ifdef MINIDL_EMULATOR
  return reinterpret_cast<T*>(emulator::shared_memory());
#else
  extern __shared__ __align__(1024) unsigned char shared_bytes[];
  return reinterpret_cast<T*>(shared_bytes);
#endif
}

#ifdef __CUDACC__
// The address of something in shared memory as instructions want it.
__device__ __forceinline__ std::uint32_t shared_address(const void* pointer) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(pointer));
}
#endif

}  // namespace minidl::cuda
