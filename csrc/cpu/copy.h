// Copies of arrays with any strides into memory without gaps: any element type of 1, 2, 4 or 8
// bytes, since only bits move.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/isa.h"

namespace minidl::cpu {

// A matrix transposed: to[i * to_row + j] = from[i + j * from_column] for i < rows, j < columns.
template <typename Word>
using TurnRun = void (*)(int64_t rows, int64_t columns, const Word* from, int64_t from_column,
                         Word* to, int64_t to_row);

struct CopyKernels {
  TurnRun<uint8_t> bytes1;
  TurnRun<uint16_t> bytes2;
  TurnRun<uint32_t> bytes4;
  TurnRun<uint64_t> bytes8;
};
MINIDL_KERNEL_TABLE(CopyKernels, copy_kernels)

// The axes of an array, with strides in elements: without those of one element, neighbours that lie
// one behind the other made one.
struct CopyAxes {
  std::vector<int64_t> shape, strides;

  void add(int64_t size, int64_t stride);  // from the slowest axis to the fastest
  int64_t count() const;
};

// out, row-major = the elements at `input`; nothing where an axis has no elements. No overlap.
template <typename Word>
void copy(const CopyAxes& axes, const Word* input, Word* out);

}  // namespace minidl::cpu
