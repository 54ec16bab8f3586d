// Atomic read-modify-write on global or shared memory, relaxed.
#pragma once

#include <cuda_runtime.h>

namespace minidl::cuda {

#if defined(MINIDL_EMULATOR) || \
    defined(__CUDACC__)  // headers of kernels are read by host compilers too

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

// *target = the larger of *target and value; returns what was there before.
__device__ __forceinline__ unsigned atomic_max(unsigned* target, unsigned value) {
#ifdef MINIDL_EMULATOR
  emulator::preempt();
  const unsigned before = *target;
  *target = before > value ? before : value;
  return before;
#else
  return atomicMax(target, value);
#endif
}

// If *target == expected, *target = wanted; returns what was there before.
__device__ __forceinline__ unsigned long long atomic_compare_exchange(unsigned long long* target,
                                                                      unsigned long long expected,
                                                                      unsigned long long wanted) {
#ifdef MINIDL_EMULATOR
  emulator::preempt();
  const unsigned long long before = *target;
  if (before == expected) *target = wanted;
  return before;
#else
  return atomicCAS(target, expected, wanted);
#endif
}
#endif

}  // namespace minidl::cuda
