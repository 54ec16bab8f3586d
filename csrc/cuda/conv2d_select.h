// How the direct convolution kernels divide their work. Pure functions of the problem.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "common/checks.h"

namespace minidl::cuda {

// Forward and gradient by the input: a thread computes one pixel in a few channels.
struct Conv2dGatherConfig {
  int threads;              // pixels of a block
  int channels_per_thread;  // 4 or 1: each value that is read serves that many sums
  std::int64_t pixel_tiles, channel_tiles;

  std::string spell() const {
    return concat(pixel_tiles, " tiles of ", threads, " pixels, ", channel_tiles, " of ",
                  channels_per_thread, " channels");
  }
};

inline Conv2dGatherConfig select_conv2d_gather(std::int64_t pixels,
                                               std::int64_t channels_of_group) {
  const int threads = pixels <= 32 ? 32 : pixels <= 64 ? 64 : 128;
  const int channels = channels_of_group >= 3 ? 4 : 1;
  return {threads, channels, (pixels + threads - 1) / threads,
          (channels_of_group + channels - 1) / channels};
}

// Gradient by the weight: a block sums one element, its threads laid out as pixels x images.
struct Conv2dWeightGradConfig {
  int pixel_threads, image_threads;

  std::string spell() const {
    return concat(pixel_threads, " pixels x ", image_threads, " images a block");
  }
};

inline Conv2dWeightGradConfig select_conv2d_weight_grad(std::int64_t pixels, std::int64_t images) {
  constexpr int most = 128, least = 32;
  const auto at_least = [](std::int64_t wanted, int limit) {
    int power = 1;
    while (power < wanted && power < limit) power *= 2;
    return power;
  };
  const int pixel_threads = at_least(pixels, most);
  const int image_threads = at_least(images, most / pixel_threads);
  return {pixel_threads, std::max(image_threads, least / pixel_threads)};
}

}  // namespace minidl::cuda
