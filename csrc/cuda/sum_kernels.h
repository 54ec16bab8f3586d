// Between sum.cpp, which plans, and the kernels sum_<algorithm>.cu.
#pragma once

#include "cuda/stream.h"
#include "cuda/sum_select.h"
#include "cuda/walk.h"

namespace minidl::cuda {

template <class T>
struct SumArrays {
  const T* input;
  T* output;
  Walk<2> outputs;  // of input and output over the axes that stay
  Walk<1> terms;    // of input over the axes that go
  std::int64_t terms_per_part;
  std::int64_t part_stride;  // from a part of a sum to the next in output
};

// The terms of one part of a sum.
struct TermRange {
  std::int64_t first, end;
};

template <class T>
__device__ __forceinline__ TermRange terms_of_part(const SumArrays<T>& a, std::int64_t part) {
  const std::int64_t first = part * a.terms_per_part, end = first + a.terms_per_part;
  return {first, end < a.terms.count ? end : a.terms.count};
}

template <class T>
void sum_along(const SumArrays<T>& arrays, const SumConfig& config, Stream stream);
template <class T>
void sum_across(const SumArrays<T>& arrays, const SumConfig& config, Stream stream);

// Where term i lies: a division for each axis but the first, so none where the axes merged into
// one.
__device__ __forceinline__ std::int64_t term_offset(const Walk<1>& terms, std::int64_t i) {
  return terms.dims <= 1 ? i * terms.stride[0][0] : terms.at(i).in[0];
}

}  // namespace minidl::cuda
