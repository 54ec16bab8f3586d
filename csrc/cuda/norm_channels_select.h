// How the elements of channels are shared out between threads. A pure function.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "common/checks.h"

namespace minidl::cuda {

struct ChannelProblem {
  std::int64_t channels, spans, span;        // elements of a channel: spans * span
  std::int64_t channel_stride, item_stride;  // the smallest steps in memory along each
};

struct ChannelConfig {
  bool across;  // neighbouring threads take neighbouring channels instead of neighbouring elements
  int threads_per_channel, channels_per_block;
  std::int64_t parts_per_span, part;  // elements of a part; a part lies in one span

  std::string spell() const {
    return concat(across ? "across" : "along", ", ", threads_per_channel, " threads a channel, ",
                  parts_per_span, " parts of ", part, " elements a span");
  }
};

// Enough blocks to fill a GPU, of enough elements each.
inline ChannelConfig select_channels(const ChannelProblem& p) {
  ChannelConfig config = {};
  config.across = p.channel_stride < p.item_stride && p.channels >= 8;
  config.channels_per_block = config.across ? 32 : 1;
  const std::int64_t least = config.across ? 64 : 2048, most = 512;
  const std::int64_t blocks = std::max<std::int64_t>(
      (p.channels + config.channels_per_block - 1) / config.channels_per_block * p.spans, 1);
  const std::int64_t wanted = std::min((most + blocks - 1) / blocks, p.span / least);
  config.parts_per_span = std::max<std::int64_t>(wanted, 1);
  config.part = (p.span + config.parts_per_span - 1) / config.parts_per_span;
  if (config.parts_per_span > 1) config.part = (config.part + 7) / 8 * 8;  // whole packs
  config.threads_per_channel = config.across ? 8 : 256;
  while (!config.across && config.threads_per_channel > 32 &&
         config.threads_per_channel * 4 > config.part) {
    config.threads_per_channel /= 2;
  }
  return config;
}

}  // namespace minidl::cuda
