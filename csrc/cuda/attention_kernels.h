// Between attention.cpp, which checks and plans, and the kernels attention_<algorithm>.cu.
#pragma once

#include <cstdint>

#include "common/half.h"
#include "cuda/attention_select.h"
#include "cuda/ptx/capability.h"
#include "cuda/stream.h"
#include "cuda/walk.h"

namespace minidl::cuda {

// From sm_80 on the halves take the tensor cores (attention_select.h): the code of a GPU holds only
// the kernels that it is given.
template <class T>
inline constexpr bool given_tiled = sizeof(T) > 2 || before_sm_80;
inline constexpr bool given_mma = from_sm_80;

// A matrix of each leading index: rows are queries or keys.
struct AttentionStrides {
  std::int64_t row, column;
};

// The leading axes' offsets of the inputs, in the order of these names.
enum AttentionInput { in_query, in_key, in_value, in_bias, in_g, in_out, attention_inputs };

template <class T>
struct AttentionOperands {
  using Sum = accumulator_t<T>;

  const T* input[attention_inputs];  // bias, g and out may be null
  AttentionStrides strides[attention_inputs];
  bool packed[attention_inputs];  // rows are dense and start at multiples of 16 bytes
  Walk<attention_inputs> batch;
  std::int64_t queries, keys, features, value_features;
  bool causal;
  Sum scale;
  T *out, *dquery, *dkey, *dvalue;  // dense, or null
  Sum *lse, *delta;                 // [B, L]
};

template <class T>
void attention_tiled(const AttentionOperands<T>& operands, const AttentionConfig& config,
                     Stream stream);

// delta: the sum of g * out of each row.
template <class T>
void attention_delta(const AttentionOperands<T>& operands, Stream stream);

// dquery and/or dkey and dvalue, whichever are not null, from delta.
template <class T>
void attention_tiled_grad(const AttentionOperands<T>& operands, const AttentionConfig& config,
                          Stream stream);

// The same on tensor cores; T is Half or BFloat16.
template <class T>
void attention_mma(const AttentionOperands<T>& operands, const AttentionConfig& config,
                   Stream stream);
template <class T>
void attention_mma_grad(const AttentionOperands<T>& operands, const AttentionConfig& config,
                        Stream stream);

}  // namespace minidl::cuda
