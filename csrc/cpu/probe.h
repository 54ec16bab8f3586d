// What the machine can do at most, for benchmarks to compare with: multiply-adds that touch no
// memory, and copies that compute nothing. The caller measures the time.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace minidl::cpu {

template <typename T>
struct ProbeKernels {
  // `rounds` multiply-adds on each lane of kProbeChains registers; the sum of the lanes, so that
  // nothing can be left out.
  T (*multiply_add)(int64_t rounds);
  int64_t lanes;
};
MINIDL_KERNEL_TABLES(ProbeKernels, probe_kernels)

// Independent chains: more than latency (4) x issue width (2) of the processors this is for, and
// few enough for the 16 registers of v2 and v3.
inline constexpr int kProbeChains = 12;

// `pieces` calls of multiply_add on all threads; returns how many flops they were (an FMA is two).
template <typename T>
double probe_multiply_add(int64_t rounds, int64_t pieces);

// Copies `bytes` from `source` to `target`, which do not overlap, on all threads, by memcpy of
// `grain` bytes each: the C library writes past the caches where a piece is large.
void probe_copy(int64_t bytes, int64_t grain, const void* source, void* target);

}  // namespace minidl::cpu
