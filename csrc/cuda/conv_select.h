// Which kernel computes a convolution, and with which tiles. A pure function of the problem.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "common/checks.h"
#include "common/dispatch.h"

namespace minidl::cuda {

enum class ConvPass { forward, input_grad, weight_grad };

struct ConvProblem {
  ConvPass pass;
  DType dtype;
  std::int64_t pixels;   // of the target, all images; of the largest class in an input gradient
  std::int64_t classes;  // of pixels, each a convolution of its own (conv_reach.h)
  std::int64_t groups, source_channels, target_channels;  // channels of a group
  std::int64_t terms;                                     // of the sum of one element
  int capability;                                         // of the GPU; 75 is 7.5
  // How channels lie, where every one is a group: in both arrays next to each other, and in aligned
  // packs of 16 bytes besides.
  bool channels_last = false, packs = false;
};

struct ConvConfig {
  enum Algorithm {
    implicit_gemm,  // multiply-adds of single numbers: any type, any GPU
    mma,            // tensor cores: 16-bit types from sm_80 on
    depthwise,      // every channel a group of its own
  } algorithm;
  enum Tile { large, medium, narrow } tile;  // narrow: of few channels
  int tile_m, tile_n;             // pixels x channels; channels x terms in a weight gradient
  std::int64_t tiles_m, tiles_n;  // of one class and group
  int lanes = 0;                  // channels, or packs of them, side by side in a depthwise block
  std::int64_t parts = 1;         // that the pixels of a weight gradient are divided into

  std::string spell() const {
    constexpr const char* names[] = {"implicit GEMM", "mma", "depthwise"};
    return concat(names[algorithm], ", ", tile_m, " x ", tile_n, " tiles, ", tiles_m, " x ",
                  tiles_n, " of them, ", parts, " parts");
  }
};

inline ConvConfig conv_config(ConvConfig::Algorithm algorithm, ConvConfig::Tile tile,
                              std::int64_t m, std::int64_t n) {
  const int tile_m = tile == ConvConfig::medium ? 64 : 128;
  const int few = algorithm == ConvConfig::mma ? 32 : 16;
  const int tile_n = tile == ConvConfig::narrow ? few : tile_m;
  return {algorithm, tile, tile_m, tile_n, (m + tile_m - 1) / tile_m, (n + tile_n - 1) / tile_n};
}

inline constexpr int conv_depthwise_threads = 256;
inline constexpr int conv_depthwise_pixels = 2;  // that a thread computes at once
inline constexpr int conv_depthwise_taps = 9;    // that a thread of the weight's gradient sums

// A GPU has up to some 130 multiprocessors, each of which runs a few blocks at once.
inline constexpr std::int64_t conv_enough_blocks = 264;

inline ConvConfig::Algorithm conv_algorithm(DType dtype, int capability) {
  return item_bytes(dtype) == 2 && capability >= 80 ? ConvConfig::mma : ConvConfig::implicit_gemm;
}

inline ConvConfig select_conv_gemm(const ConvProblem& p) {
  const auto algorithm = conv_algorithm(p.dtype, p.capability);
  const auto with = [&](ConvConfig::Tile tile) {
    return conv_config(algorithm, tile, p.pixels, p.target_channels);
  };
  const auto narrow = with(ConvConfig::narrow), large = with(ConvConfig::large);
  if (p.target_channels <= narrow.tile_n * 3 / 2) return narrow;
  // A large tile reads an element fewer times, but a few of them leave most of the GPU idle, and
  // one that hangs over wastes work.
  const bool filled =
      large.tiles_m * large.tiles_n * p.groups * p.classes >= conv_enough_blocks / 2;
  const bool fits = p.target_channels % 128 == 0 || p.target_channels > 256;
  const bool exists = algorithm == ConvConfig::mma || p.dtype == DType::float32;
  return filled && fits && exists ? large : with(ConvConfig::medium);
}

// The result is small and the sum long: pixels are divided into parts until the GPU is full.
inline ConvConfig select_conv_weight_grad(const ConvProblem& p) {
  const auto algorithm = conv_algorithm(p.dtype, p.capability);
  const bool large = algorithm == ConvConfig::mma && p.target_channels % 128 == 0 && p.terms >= 512;
  auto config = conv_config(algorithm, large ? ConvConfig::large : ConvConfig::medium,
                            p.target_channels, p.terms);
  constexpr std::int64_t least_pixels = 256, most_elements = 16 << 20;
  const std::int64_t blocks = std::max<std::int64_t>(1, config.tiles_m * config.tiles_n * p.groups);
  const std::int64_t elements = std::max<std::int64_t>(1, p.groups * p.target_channels * p.terms);
  config.parts = std::min({(2 * conv_enough_blocks + blocks - 1) / blocks, p.pixels / least_pixels,
                           most_elements / elements});
  config.parts = std::max<std::int64_t>(1, config.parts);
  return config;
}

// Channels of a depthwise block lie side by side where they do in memory, as many as leave room for
// their weights in shared memory.
inline bool conv_is_depthwise(const ConvProblem& p) {
  return p.source_channels == 1 && p.target_channels == 1 && p.terms <= 512;
}

inline ConvConfig select_conv_depthwise(const ConvProblem& p) {
  constexpr std::int64_t most_weights = 4096, most_repeats = 8, most_parts = 64;
  const bool gradient = p.pass == ConvPass::weight_grad;
  const int pack = p.packs && !gradient ? static_cast<int>(16 / item_bytes(p.dtype)) : 1;
  int lanes = 1;
  while (p.channels_last && lanes < 32 && lanes * pack < p.groups &&
         (gradient || 2 * lanes * pack * p.terms <= most_weights)) {
    lanes *= 2;
  }
  const int across = conv_depthwise_threads / lanes;
  const std::int64_t channel_tiles = (p.groups + lanes * pack - 1) / (lanes * pack);
  const auto fit = [](std::int64_t wanted, std::int64_t most) {
    return std::clamp<std::int64_t>(wanted, 1, most);
  };
  ConvConfig config{
      ConvConfig::depthwise, ConvConfig::medium, across * conv_depthwise_pixels, lanes * pack, 0,
      channel_tiles};
  config.lanes = lanes;
  if (gradient) {
    const std::int64_t taps = (p.terms + conv_depthwise_taps - 1) / conv_depthwise_taps;
    const std::int64_t wanted =
        4 * conv_enough_blocks / std::max<std::int64_t>(1, channel_tiles * taps);
    config.parts = fit(std::min(wanted, p.pixels / (8 * across)), most_parts);
    config.tiles_m = taps;
    return config;
  }
  // Weights are loaded once for several rounds over the pixels, where there are enough of them.
  const std::int64_t rounds = (p.pixels + config.tile_m - 1) / config.tile_m * channel_tiles;
  config.tile_m *= static_cast<int>(fit(rounds / (8 * conv_enough_blocks), most_repeats));
  config.tiles_m = (p.pixels + config.tile_m - 1) / config.tile_m;
  return config;
}

inline ConvConfig select_conv(const ConvProblem& p) {
  if (conv_is_depthwise(p)) return select_conv_depthwise(p);
  return p.pass == ConvPass::weight_grad ? select_conv_weight_grad(p) : select_conv_gemm(p);
}

}  // namespace minidl::cuda
