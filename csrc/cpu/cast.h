// float to the two formats of 16 bits and back, to nearest even; NaN stays NaN. Arrays without
// gaps.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace minidl::cpu {

struct CastKernels {
  void (*to_bfloat16)(int64_t size, const float* from, uint16_t* to);
  void (*from_bfloat16)(int64_t size, const uint16_t* from, float* to);
  // Null for instruction sets without the conversion.
  void (*to_float16)(int64_t size, const float* from, uint16_t* to);
  void (*from_float16)(int64_t size, const uint16_t* from, float* to);
};
MINIDL_KERNEL_TABLE(CastKernels, cast_kernels)

}  // namespace minidl::cpu
