// Atomic read-modify-write on global or shared memory, relaxed.
#pragma once

#include <cuda_runtime.h>

namespace minidl::cuda {

// *target += value; returns what was there before.
template <class T>
__device__ __forceinline__ T atomic_add(T* target, T value) {
#ifdef MINIDL_EMULATOR
  emulator::preempt();  // the order of atomics is not defined: let a seed choose it
  const T before = *target;
  *target = before + value;
  return before;
#else
  return atomicAdd(target, value);
#endif
}

}  // namespace minidl::cuda
