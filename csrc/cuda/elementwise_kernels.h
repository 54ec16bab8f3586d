// Between elementwise.cpp, which plans, and the kernels elementwise_<algorithm>.cu.
#pragma once

#include <cstdint>

#include "common/dispatch.h"
#include "cuda/elementwise_ops.h"
#include "cuda/elementwise_select.h"
#include "cuda/stream.h"
#include "cuda/walk.h"

namespace minidl::cuda {

struct ElementwiseInput {
  const void* data;  // null for a number
  DType dtype;
  bool repeated;  // one element for a whole pack
};

template <class C, int Inputs>
struct ElementwiseArguments {
  ElementwiseInput input[Inputs];
  C value[Inputs];                    // in the place of a number
  C number[max_elementwise_numbers];  // p, q, r of elementwise_ops.h
  void* output;
  DType output_type;
};

// The walk's arrays are the inputs, then the output.

// `walk` counts packs; `rest` elements follow the last one. False where the operation has no kernel
// of its own.
template <int Inputs>
bool elementwise_packed(ElementwiseOp op, const Walk<Inputs + 1>& walk, std::int64_t rest,
                        const ElementwiseArguments<float, Inputs>& arguments,
                        const ElementwiseConfig& config, Stream stream);

template <class C, int Inputs>
void elementwise_strided(ElementwiseOp op, const Walk<Inputs + 1>& walk,
                         const ElementwiseArguments<C, Inputs>& arguments,
                         const ElementwiseConfig& config, Stream stream);

}  // namespace minidl::cuda
