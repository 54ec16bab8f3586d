// Stands in for CUDA's header of this name: the part of the language that csrc/cuda uses.
// Intrinsics have their host bodies beside their device bodies, in csrc/cuda/ptx.
#pragma once

#include <cmath>

#include "emulator/machine.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __grid_constant__
#define __restrict__ __restrict

using dim3 = ::minidl::emulator::Dim3;

#define threadIdx (::minidl::emulator::position->thread)
#define blockIdx (::minidl::emulator::position->block)
#define blockDim (::minidl::emulator::position->block_dim)
#define gridDim (::minidl::emulator::position->grid_dim)

// The default arguments are evaluated where it is called, so messages name the kernel's line.
inline void __syncthreads(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  ::minidl::emulator::barrier({"__syncthreads()", file, line});
}
