// How a kernel notes a fault of its data (fault.h).
#pragma once

#include "cuda/fault.h"
#include "cuda/ptx/atomic.h"

namespace minidl::cuda {

#if defined(MINIDL_EMULATOR) || \
    defined(__CUDACC__)  // headers of kernels are read by host compilers too

__device__ __forceinline__ void report_fault(FaultRecord* record, FaultKind kind,
                                             std::int64_t index, std::int64_t size,
                                             std::int64_t place = 0) {
  if (atomic_compare_exchange(&record->claimed, 0ull, 1ull) != 0) return;
  record->kind = static_cast<std::int64_t>(kind);
  record->index = index;
  record->size = size;
  record->place = place;
}
#endif

}  // namespace minidl::cuda
