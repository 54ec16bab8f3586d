// cp.async: copies from global to shared memory that need no registers and that nobody waits for
// until they are wanted. A thread waits for its own copies only; others see them after a barrier.
// Below sm_80 the copy happens at once and the waits do nothing.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "cuda/pack.h"
#include "cuda/ptx/shared.h"
#include "cuda/ptx/unroll.h"

namespace minidl::cuda {

#ifdef MINIDL_EMULATOR
template <int bytes>
void cp_async(void* shared, const void* global, int source_bytes = bytes,
              const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  static_assert(bytes == 4 || bytes == 8 || bytes == 16, "cp.async copies 4, 8 or 16 bytes");
  emulator::start_copy(shared, global, bytes, static_cast<std::size_t>(source_bytes),
                       {"cp_async", file, line});
}

inline void cp_async_commit() { emulator::commit_copies(); }

template <int pending>
void cp_async_wait() {
  emulator::wait_for_copies(pending);
}

inline void cp_async_wait_all() { emulator::wait_for_all_copies(); }
#else
// Copies `bytes` (4, 8 or 16, to which both addresses are aligned): the first source_bytes come
// from `global`, the others become 0. With source_bytes = 0 `global` is not read.
template <int bytes>
__device__ __forceinline__ void cp_async(void* shared, const void* global,
                                         int source_bytes = bytes) {
  static_assert(bytes == 4 || bytes == 8 || bytes == 16, "cp.async copies 4, 8 or 16 bytes");
#if __CUDA_ARCH__ >= 800
  // A copy of 16 bytes passes by the first-level cache: what is shared by a block is read once.
  if constexpr (bytes == 16) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)),
                 "l"(global), "r"(source_bytes)
                 : "memory");
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(shared_address(shared)),
                 "l"(global), "n"(bytes), "r"(source_bytes)
                 : "memory");
  }
#else
  if (source_bytes == bytes) {
    using Word = Pack<std::uint32_t, bytes / 4>;
    store_pack(static_cast<std::uint32_t*>(shared),
               load_pack<Word>(static_cast<const std::uint32_t*>(global)));
  } else {
    MINIDL_KEEP_LOOP
    for (int i = 0; i < bytes; ++i) {
      static_cast<unsigned char*>(shared)[i] =
          i < source_bytes ? static_cast<const unsigned char*>(global)[i] : 0;
    }
  }
#endif
}

// Makes a group of the copies that this thread started since the last one; it may be empty.
__device__ __forceinline__ void cp_async_commit() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

// Waits until at most `pending` groups of this thread, the newest, are under way.
template <int pending>
__device__ __forceinline__ void cp_async_wait() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
#endif
}

// Waits for all copies of this thread, in a group or not.
__device__ __forceinline__ void cp_async_wait_all() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_all;" ::: "memory");
#endif
}
#endif

}  // namespace minidl::cuda
