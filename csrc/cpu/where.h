// Choosing between two arrays, element by element, on the CPU: any element type of 1, 2, 4 or 8
// bytes, since only bits move.
#pragma once

#include <cstdint>

#include "cpu/isa.h"
#include "cpu/walk.h"

namespace minidl::cpu {

// out[i] = condition[i steps[0]] ? input[i steps[1]] : other[i steps[2]] for i in [0, size). Steps
// count elements; out overlaps no operand; conditions are 0 or 1.
template <typename Word>
using WhereRun = void (*)(int64_t size, const uint8_t* condition, const Word* input,
                          const Word* other, const int64_t* steps, Word* out);

struct WhereKernels {
  WhereRun<uint8_t> bytes1;
  WhereRun<uint16_t> bytes2;
  WhereRun<uint32_t> bytes4;
  WhereRun<uint64_t> bytes8;
};
MINIDL_KERNEL_TABLE(WhereKernels, where_kernels)

// The walk's operands are condition, input and other; `out` takes its elements in the walk's order.
template <typename Word>
void where(const Walk<3>& walk, const uint8_t* condition, const Word* input, const Word* other,
           Word* out);

}  // namespace minidl::cpu
