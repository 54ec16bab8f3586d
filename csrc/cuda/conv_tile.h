// What the kernels of the implicit GEMM share: where pixels and taps lie, and how a block reads
// them. For kernel files only.
#pragma once

#include "cuda/conv_kernels.h"
#include "cuda/divider.h"
#include "cuda/pack.h"
#include "cuda/ptx/unroll.h"

namespace minidl::cuda {

// Where a pixel of the target begins in the source, or how far a tap reaches from there: the sum of
// both is an element. Coordinates decide whether it lies inside.
struct ConvPlace {
  std::int64_t offset;
  int at[3];
};

// A coordinate that no tap leads back inside from: sizes and reaches are below 2^30.
inline constexpr int conv_nowhere = -(1 << 30);

// One class of pixels (conv_reach.h), in shared memory.
struct ConvClass {
  ConvReach axis[3];
  Divider count[3], taps[3], channels;
  int pixels, terms;
};

// All threads of the block call this; it ends with a barrier.
__device__ __forceinline__ void prepare_class(ConvClass& c, const ConvLayout& layout,
                                              std::int64_t number) {
  const int thread = static_cast<int>(threadIdx.x);
  if (thread < 3) {
    std::int64_t rest = number;
    for (int d = 2; d > thread; --d) rest /= layout.axis[d].classes;
    const int residue = static_cast<int>(rest % layout.axis[thread].classes);
    const ConvReach reach = conv_reach(layout.axis[thread], layout.direction, residue);
    c.axis[thread] = reach;
    c.count[thread] = Divider(reach.count > 0 ? reach.count : 1);
    c.taps[thread] = Divider(reach.taps > 0 ? reach.taps : 1);
  }
  if (thread == 3) {
    const bool counted = layout.channels_fastest && layout.source_channels > 0;
    c.channels = Divider(counted ? layout.source_channels : 1);
  }
  __syncthreads();
  if (thread == 0) {
    c.pixels = layout.images * c.axis[0].count * c.axis[1].count * c.axis[2].count;
    c.terms = layout.source_channels * c.axis[0].taps * c.axis[1].taps * c.axis[2].taps;
  }
  __syncthreads();
}

// Where pixel number `pixel` of the class begins to read in the source.
__device__ __forceinline__ ConvPlace source_place(const ConvClass& c, const ConvLayout& layout,
                                                  int pixel) {
  if (pixel >= c.pixels) return {0, {conv_nowhere, conv_nowhere, conv_nowhere}};
  ConvPlace place;
  place.offset = 0;
  MINIDL_UNROLL
  for (int d = 2; d >= 0; --d) {
    const int position = c.count[d].split(pixel);
    place.at[d] = c.axis[d].base + position * c.axis[d].advance;
    place.offset += place.at[d] * layout.source.axis[d];
  }
  place.offset += pixel * layout.source.image;
  return place;
}

// Where pixel number `pixel` of the class lies in the target, in channel 0.
__device__ __forceinline__ std::int64_t target_offset(const ConvClass& c, const ConvLayout& layout,
                                                      int pixel) {
  std::int64_t offset = 0;
  MINIDL_UNROLL
  for (int d = 2; d >= 0; --d) {
    const int position = c.count[d].split(pixel);
    offset += (c.axis[d].first + position * c.axis[d].hop) * layout.target.axis[d];
  }
  return offset + pixel * layout.target.image;
}

// The tap and the channel of a term.
struct ConvTerm {
  int channel, tap[3];
};

__device__ __forceinline__ ConvTerm term_at(const ConvClass& c, int term) {
  ConvTerm result;
  const int fastest = c.channels.split(term);
  MINIDL_UNROLL
  for (int d = 2; d >= 0; --d) result.tap[d] = c.taps[d].split(term);
  result.channel = fastest + term;  // one of both is 0
  return result;
}

// Where the weight of a term's tap lies, from that of tap 0 in every axis.
__device__ __forceinline__ std::int64_t tap_offset(const ConvClass& c, const ConvTerm& term,
                                                   const ConvStrides& weight) {
  std::int64_t offset = 0;
  MINIDL_UNROLL
  for (int d = 0; d < 3; ++d) {
    offset += (c.axis[d].first_tap + term.tap[d] * c.axis[d].tap_step) * weight.axis[d];
  }
  return offset;
}

// How far term number `term` reaches from where its pixel begins.
__device__ __forceinline__ ConvPlace term_place(const ConvClass& c, const ConvLayout& layout,
                                                int term) {
  if (term >= c.terms) return {0, {conv_nowhere, conv_nowhere, conv_nowhere}};
  const ConvTerm t = term_at(c, term);
  ConvPlace place;
  place.offset = t.channel * layout.source.channel;
  MINIDL_UNROLL
  for (int d = 0; d < 3; ++d) {
    place.at[d] = t.tap[d] * c.axis[d].step;
    place.offset += place.at[d] * layout.source.axis[d];
  }
  return place;
}

__device__ __forceinline__ bool meet_inside(const ConvLayout& layout, const ConvPlace& pixel,
                                            const ConvPlace& term) {
  bool inside = true;
  MINIDL_UNROLL
  for (int d = 0; d < 3; ++d) {
    inside &= static_cast<unsigned>(pixel.at[d] + term.at[d]) <
              static_cast<unsigned>(layout.axis[d].source);
  }
  return inside;
}

// P::size terms of a pixel, from `term` on; zeros outside.
template <class P, class T>
__device__ __forceinline__ P read_source(const T* source, const ConvLayout& layout,
                                         const ConvPlace& pixel, const ConvPlace* term) {
  P pack;
  if (layout.source_packs) {
    if (meet_inside(layout, pixel, term[0])) {
      return load_pack<P>(source + pixel.offset + term[0].offset);
    }
    MINIDL_UNROLL
    for (int v = 0; v < P::size; ++v) pack[v] = T(0.0f);
    return pack;
  }
  MINIDL_UNROLL
  for (int v = 0; v < P::size; ++v) {
    const bool inside = meet_inside(layout, pixel, term[v]);
    pack[v] = inside ? source[pixel.offset + term[v].offset] : T(0.0f);
  }
  return pack;
}

// P::size channels of a pixel of the target, from `channel` on; zeros from `channels` on.
template <class P, class T>
__device__ __forceinline__ P read_channels(const T* pixel, const ConvLayout& layout, int channel,
                                           int channels) {
  if (layout.target_packs && channel < channels) return load_pack<P>(pixel + channel);
  P pack;
  MINIDL_UNROLL
  for (int v = 0; v < P::size; ++v) {
    const bool inside = channel + v < channels;
    pack[v] = inside ? pixel[(channel + v) * layout.target.channel] : T(0.0f);
  }
  return pack;
}

// What a block of the product computes: a tile of the pixels of one class and the channels of one
// group. `source` and `weight` are where the group's and the tile's operands begin.
struct ConvBlock {
  std::int64_t number;          // of the class
  std::int64_t pixel, channel;  // the first; channels counted over all groups
  int channels;                 // of the group from there on, more than the tile has or fewer
  std::int64_t source, weight;
};

template <class T>
__device__ __forceinline__ ConvBlock conv_block(const ConvGemm<T>& p, int tile_m, int tile_n) {
  std::int64_t rest = blockIdx.x;
  const int channel = static_cast<int>(rest % p.channel_tiles) * tile_n;
  rest /= p.channel_tiles;
  const std::int64_t pixel = rest % p.pixel_tiles * tile_m;
  rest /= p.pixel_tiles;
  const ConvLayout& layout = p.layout;
  const std::int64_t group = rest % layout.groups, number = rest / layout.groups;
  const std::int64_t first = group * layout.target_channels + channel;
  return {number,
          pixel,
          first,
          layout.target_channels - channel,
          group * layout.source_channels * layout.source.channel,
          number * p.weight_class + first * p.weight_pitch};
}

template <class T>
std::int64_t conv_blocks(const ConvGemm<T>& p) {
  std::int64_t blocks = p.pixel_tiles * p.channel_tiles * p.layout.groups;
  for (const ConvAxis& axis : p.layout.axis) blocks *= axis.classes;
  return blocks;
}

// What a block of the weight's gradient computes: a tile of the channels of g in one group and the
// terms, over one part of the pixels.
struct ConvPart {
  int term, pixel;    // the first
  int channels;       // of the group from the first on
  std::int64_t line;  // of partial: part, group and first channel
  std::int64_t g, source;
};

template <class T, class Sum>
__device__ __forceinline__ ConvPart conv_part(const ConvWeightGrad<T, Sum>& p, int side) {
  std::int64_t rest = blockIdx.x;
  const int term = static_cast<int>(rest % p.term_tiles) * side;
  rest /= p.term_tiles;
  const int channel = static_cast<int>(rest % p.channel_tiles) * side;
  rest /= p.channel_tiles;
  const ConvLayout& layout = p.layout;
  const std::int64_t group = rest % layout.groups, part = rest / layout.groups;
  const std::int64_t first = group * layout.target_channels + channel;
  return {term,
          static_cast<int>(part) * p.pixels_per_part,
          layout.target_channels - channel,
          part * layout.groups * layout.target_channels + first,
          first * layout.target.channel,
          group * layout.source_channels * layout.source.channel};
}

// Where pack `i` of a tile lies that has `rows` rows of `packs` packs: neighbouring threads take
// neighbours in memory.
struct ConvSlot {
  int row, pack;
};
__device__ __forceinline__ ConvSlot slot_of(int i, int rows, int packs, bool along_row) {
  return along_row ? ConvSlot{i / packs, i % packs} : ConvSlot{i % rows, i / rows};
}

}  // namespace minidl::cuda
