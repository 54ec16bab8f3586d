// Between conv.cpp, which checks and plans, and the kernels conv_<algorithm>.cu.
#pragma once

#include <cstdint>

#include "cuda/conv_reach.h"
#include "cuda/conv_select.h"
#include "cuda/stream.h"

namespace minidl::cuda {

struct ConvStrides {
  std::int64_t image, channel, axis[3];
};

// A convolution as a product of matrices whose first operand is never made. A row is a pixel of
// the target (and its image); a column is a channel of the target; a term of the sum is a tap with
// a channel of the source. Terms are counted with the channel fastest where channels lie next to
// each other in the source, and with the taps fastest where they do not. The gradient by the weight
// reads its g as the target.
struct ConvLayout {
  ConvDirection direction;
  ConvAxis axis[3];
  int images, groups;
  int source_channels, target_channels;  // of a group
  ConvStrides source, target;
  bool channels_fastest;
  // Whether several channels of a pixel may be read as a pack: they lie next to each other, and
  // all places of packs are aligned.
  bool source_packs, target_packs;
  bool target_channels_last;
  bool depthwise_packs;  // the same of both arrays, where every channel is a group of its own
};

// Target [pixel, channel] = sum over terms of source [pixel, term] weight [channel, term] + bias.
template <class T>
struct ConvGemm {
  ConvLayout layout;
  const T* source;
  const T* weight;  // [class][group][channel][weight_pitch], zeros beyond the terms of the class
  const T* bias;    // or null
  T* target;
  std::int64_t weight_class, weight_pitch, bias_stride;
  std::int64_t pixel_tiles, channel_tiles;
};

// Target [pixel, channel] = sum over taps of source [pixel + tap, channel] weight [channel, tap] +
// bias. `lanes` channels, or packs of channels, lie side by side in a block.
template <class T>
struct ConvDepthwise {
  ConvLayout layout;
  const T* source;
  const T* weight;
  const T* bias;  // or null
  T* target;
  ConvStrides weight_strides;  // image is the stride of the channels
  std::int64_t bias_stride;
  int lanes, pixels_of_block;
  std::int64_t pixel_tiles, channel_tiles;
};

// Packed [class][group][channel][pitch] from weight with any strides.
template <class T>
struct ConvWeightPack {
  ConvLayout layout;
  const T* weight;
  T* packed;
  ConvStrides strides;  // of the weight; image is the stride of the output channels
  std::int64_t classes, channels, pitch;  // channels of the target in all groups
};

// partial [part][group][channel of g][term] = sum over the part's pixels of g source.
template <class T, class Sum>
struct ConvWeightGrad {
  ConvLayout layout;
  const T* g;
  const T* source;
  Sum* partial;
  int terms, pixels_per_part;
  int lanes;  // channels side by side, in the depthwise kernel
  std::int64_t channel_tiles, term_tiles, parts;
};

// weight_grad = sum over parts of partial.
template <class T, class Sum>
struct ConvPartSum {
  ConvLayout layout;
  const Sum* partial;
  T* weight_grad;
  ConvStrides strides;
  int terms;
  std::int64_t elements, parts;
};

template <class T>
void conv_implicit_gemm(const ConvGemm<T>& problem, const ConvConfig& config, Stream stream);
template <class T>  // Half or BFloat16; tensor cores of sm_80
void conv_mma(const ConvGemm<T>& problem, const ConvConfig& config, Stream stream);
template <class T>
void conv_depthwise(const ConvDepthwise<T>& problem, Stream stream);
template <class T>
void conv_pack_weight(const ConvWeightPack<T>& problem, Stream stream);
template <class T, class Sum>
void conv_weight_grad_gemm(const ConvWeightGrad<T, Sum>& problem, const ConvConfig& config,
                           Stream stream);
template <class T>
void conv_weight_grad_mma(const ConvWeightGrad<T, float>& problem, const ConvConfig& config,
                          Stream stream);
template <class T, class Sum>
void conv_depthwise_weight_grad(const ConvWeightGrad<T, Sum>& problem, Stream stream);
template <class T, class Sum>
void conv_sum_parts(const ConvPartSum<T, Sum>& problem, Stream stream);

}  // namespace minidl::cuda
