// The transforms of Winograd's minimal filtering F(2x2, 3x3), compiled once per instruction-set
// level: of 4 x 4 points to 16 positions, whose products with the transformed weight give the 2 x 2
// outputs of a tile with 16 multiplications in place of 36. Vectors hold channels.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace minidl::cpu {

inline constexpr int kWinogradPositions = 16;
// Elements between the values of two positions, which are used together: at a distance of a power
// of two they would fall into the same few sets of the cache.
inline constexpr int64_t kWinogradApart = 48;

inline int64_t winograd_tiles(int64_t outputs) { return (outputs + 1) / 2; }

// A row of tiles: tile t covers points (y, 2 t + x) of a channels-last image.
template <typename T>
struct WinogradRow {
  int64_t tiles, channels;
  int64_t row, column;               // steps of the image, in elements
  int64_t tile_step, position_step;  // of the transformed values
};

template <typename T>
struct WinogradKernels {
  // to[position][lanes of width] of weights [3][3][width]; width is a multiple of a vector
  void (*weights)(int64_t width, const T* weight, T* to, int64_t position_step);
  // to[position][tile][channel] of 4 x 4 points a tile
  void (*inputs)(const WinogradRow<T>& job, const T* image, T* to);
  // image[2 x 2 points a tile][channel] = bias + what from[position][tile][channel] gives, `height`
  // rows and `columns` columns of it; false where a value is not finite. Reads whole vectors.
  bool (*outputs)(const WinogradRow<T>& job, const T* from, const T* bias, int64_t height,
                  int64_t columns, T* image);
  // to[position][tile][channel] of the gradients of 2 x 2 outputs a tile; zeros up to a vector
  void (*grads)(const WinogradRow<T>& job, const T* image, T* to);
  // weight [3][3][width] from the sums of products of grads and inputs; false where a value is not
  // finite
  bool (*weight_grads)(int64_t width, const T* from, int64_t position_step, T* weight);
};
MINIDL_KERNEL_TABLES(WinogradKernels, winograd_kernels)

}  // namespace minidl::cpu
