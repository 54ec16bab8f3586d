// Between elementwise.cpp, which plans, and the kernels elementwise_<algorithm>.cu.
#pragma once

#include <cstdint>

#include "cuda/elementwise_ops.h"
#include "cuda/elementwise_select.h"
#include "cuda/stream.h"
#include "cuda/walk.h"

namespace minidl::cuda {

template <class T, int Inputs>
struct ElementwiseArrays {
  const T* input[Inputs];  // null for a number
  T number[Inputs];
  T* output;

  __device__ __forceinline__ T load(int n, std::int64_t offset) const {
    return input[n] ? input[n][offset] : number[n];
  }
};

// The walk's arrays are the inputs, then the output.
template <class T, class Op, int Inputs>
void elementwise_flat(const Walk<Inputs + 1>& walk, const ElementwiseArrays<T, Inputs>& arrays,
                      const ElementwiseConfig& config, Stream stream);
template <class T, class Op, int Inputs>
void elementwise_strided(const Walk<Inputs + 1>& walk, const ElementwiseArrays<T, Inputs>& arrays,
                         const ElementwiseConfig& config, Stream stream);

}  // namespace minidl::cuda
