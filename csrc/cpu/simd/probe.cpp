#include "cpu/probe.h"

#include "cpu/simd/vec.h"

namespace minidl::cpu::MINIDL_ISA {
namespace {

template <typename T>
T multiply_add(int64_t rounds) {
  // x -> 0.5 x + 1 tends to 2: no chain overflows, dies out, or meets a denormal number.
  const Vec<T> factor = splat(T(0.5)), term = splat(T(1));
  Vec<T> chain[kProbeChains];
#pragma GCC unroll 12
  for (int i = 0; i < kProbeChains; ++i) chain[i] = splat(static_cast<T>(i));
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < kProbeChains; ++i) chain[i] = chain[i] * factor + term;
  }
  T sum = 0;
#pragma GCC unroll 12
  for (int i = 0; i < kProbeChains; ++i) {
    for (int64_t lane = 0; lane < kLanes<T>; ++lane) sum += chain[i][lane];
  }
  return sum;
}

}  // namespace

MINIDL_FILL_TABLES(ProbeKernels, probe_kernels, .multiply_add = &multiply_add<T>,
                   .lanes = kLanes<T>)

}  // namespace minidl::cpu::MINIDL_ISA
