// The weight of a pass in the order in which the kernels of cpu/conv_kernels.h read it.
#pragma once

#include <atomic>
#include <vector>

#include "cpu/conv_pass.h"

namespace minidl::cpu {

// Blocks of output channels of a group: whole ones, and a last that may be one vector wide.
struct ChannelBlocks {
  int64_t channels, lanes;
  int64_t count() const { return (channels + 2 * lanes - 1) / (2 * lanes); }
  int64_t begin(int64_t block) const { return block * 2 * lanes; }
  int64_t valid(int64_t block) const {
    const int64_t rest = channels - begin(block);
    return rest < 2 * lanes ? rest : 2 * lanes;
  }
  int64_t width(int64_t block) const { return valid(block) > lanes ? 2 * lanes : lanes; }
  int64_t padded() const { return begin(count() - 1) + width(count() - 1); }
};

template <typename T>
bool all_finite(const T* values, int64_t count) {
  T sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += values[i] * T(0);
  return sum == 0;
}

// One combination of the phases of the three axes and where its weights lie.
struct PhaseWeights {
  const ConvAxis* axes[3];
  int64_t taps;
  int64_t offset;  // of a group's weights [block][tap][channel in][channel of the block]
};

template <typename T>
struct PackedWeights {
  std::vector<PhaseWeights> phases;
  ChannelBlocks blocks;
  int64_t group;  // elements of a group
  const T* data;
  bool finite;

  const T* at(const PhaseWeights& phase, int64_t g, int64_t block, int64_t channels_in) const {
    return data + g * group + phase.offset + blocks.begin(block) * phase.taps * channels_in;
  }
};

// Into memory of the calling thread, valid until its next call.
template <typename T>
PackedWeights<T> pack_weights(const ConvPass& pass, const T* weight);

}  // namespace minidl::cpu
