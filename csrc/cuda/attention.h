// Scaled dot-product attention and its gradients, without an array of scores.
//   out = softmax(scale query key^T + bias) value
// Source: Dao, "FlashAttention-2" (2023): tiles of keys pass a tile of queries, the softmax is kept
// up to date.
//
// Letters: B any leading axes, the same in all arrays; L queries, S keys, E features of queries and
// keys, V of values. Inputs have any strides; outputs are dense. One dtype (float16, bfloat16,
// float32, float64); `lse` and `delta` are float32 (float64 for float64). Outputs overlap nothing.
#pragma once

#include "cuda/array.h"
#include "cuda/attention_select.h"
#include "cuda/stream.h"

namespace minidl::cuda {

struct Attention {
  const Array& query;  // [B, L, E]
  const Array& key;    // [B, S, E]
  const Array& value;  // [B, S, V]
  const Array* bias;   // [B, L, S], 0 strides where broadcast, or null; -infinity where not to look
  bool causal;         // query i looks at keys 0 .. i
  double scale;
};

// out [B, L, V]; lse [B, L], the logarithm of the sum of exponentials of each row. A row that looks
// nowhere gives out = 0, lse = -infinity. Throws std::invalid_argument for shapes that do not fit
// or that takes_attention() refuses.
void attention(const Attention& problem, const Array& out, const Array& lse, Stream stream);

struct AttentionGrad {
  const Array& g;       // [B, L, V]  gradient of out
  const Array& out;     // [B, L, V]  as attention() left it
  const Array& lse;     // [B, L]     likewise
  const Array& delta;   // [B, L]     workspace: sum of g * out of each row
  const Array* dquery;  // [B, L, E]  out, or null where not wanted
  const Array* dkey;    // [B, S, E]  out, or null
  const Array* dvalue;  // [B, S, V]  out, or null
};

// Deterministic: queries and keys each collect their own sums, the probabilities are computed
// twice.
void attention_backward(const Attention& problem, const AttentionGrad& grad, Stream stream);

}  // namespace minidl::cuda
