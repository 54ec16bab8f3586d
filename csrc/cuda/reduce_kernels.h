// Between reduce.cpp, which plans, and the kernels reduce_<algorithm>.cu.
#pragma once

#include "cuda/reduce_ops.h"
#include "cuda/reduce_select.h"
#include "cuda/stream.h"
#include "cuda/walk.h"

namespace minidl::cuda {

template <class Op>
struct ReduceArrays {
  Op op;
  const typename Op::Input* input;
  typename Op::Output* output;
  typename Op::State* partial;  // [parts, outputs], or null where there is one part
  Walk<2> outputs;              // of input and output over the axes that stay
  Walk<1> terms;                // of input over the axes that go
  std::int64_t terms_per_part;

  // Where term i lies: a division for each axis but the first, so none where the axes merged into
  // one.
  __device__ __forceinline__ std::int64_t term_offset(std::int64_t i) const {
    return terms.dims <= 1 ? i * terms.stride[0][0] : terms.at(i).in[0];
  }
  __device__ __forceinline__ typename Op::State term(const typename Op::Input* from,
                                                     std::int64_t i) const {
    return op.load(from[term_offset(i)], i);
  }
  __device__ __forceinline__ std::int64_t end_of_part(std::int64_t part) const {
    const std::int64_t end = (part + 1) * terms_per_part;
    return end < terms.count ? end : terms.count;
  }
  // Writes output number `index`, which lies at `offset`, or part `part` of it.
  __device__ __forceinline__ void store(std::int64_t index, std::int64_t offset, std::int64_t part,
                                        const typename Op::State& state) const {
    if (partial) {
      partial[part * outputs.count + index] = state;
    } else {
      output[offset] = op.finish(state);
    }
  }
};

template <class Op>
void reduce_along(const ReduceArrays<Op>& arrays, const ReduceConfig& config, Stream stream);
template <class Op>
void reduce_across(const ReduceArrays<Op>& arrays, const ReduceConfig& config, Stream stream);
// The second pass: output = the parts combined.
template <class Op>
void reduce_parts(const ReduceArrays<Op>& arrays, const ReduceConfig& config, Stream stream);

}  // namespace minidl::cuda
