// A matrix product as the selection sees it: sizes, types, layouts, the GPU; no pointers.
#pragma once

#include <cstdint>

#include "common/dispatch.h"

namespace minidl::cuda {

// How an operand lies in memory. Its rows are those of a, the columns those of b; k runs along the
// sum.
struct MatmulLayout {
  bool k_unit = true;    // the stride along k is 1 (or the smaller one): a row after the other
  bool aligned = false;  // packs of 16 bytes along the unit axis may be read: address and strides
};

struct MatmulProblem {
  std::int64_t batch = 1, m = 0, n = 0, k = 0;
  DType dtype = DType::float32;
  MatmulLayout a = {}, b = {};
  bool tensor_maps = false;  // the arrays are such that bulk tensor copies can bring a and b
  bool plain = true;         // nothing but a bias is added to the sums
  bool tf32 = false;         // float32 may be rounded to tf32 on the way into a tensor core
  int capability = 90, multiprocessors = 132;  // of the GPU; 75 is compute capability 7.5
};

}  // namespace minidl::cuda
