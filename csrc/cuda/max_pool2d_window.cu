// Max pooling: a thread computes one window.
#include "cuda/launch.h"
#include "cuda/max_pool2d_kernels.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// pool_threads and pool_tiles(): max_pool2d_kernels.h

// ---- Kernel -----------------------------------------------------------------------------------

// The first tap of a window at or after the start of the input, in one dimension.
__device__ __forceinline__ int first_tap(int start, int kernel, int dilation) {
  const int tap = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
  return tap < kernel ? tap : kernel - 1;
}

template <class T, class Offset>
__global__ void __launch_bounds__(pool_threads)
    max_pool2d_window_kernel(MaxPool2d<T, Offset> p, std::int64_t tiles) {
  const std::int64_t plane = blockIdx.x / tiles, tile = blockIdx.x % tiles;
  const std::int64_t image = plane / p.channels, channel = plane % p.channels;
  const std::int64_t pixel = tile * pool_threads + threadIdx.x;
  if (pixel >= static_cast<std::int64_t>(p.output_size.rows) * p.output_size.columns) return;
  const int row = static_cast<int>(pixel / p.output_size.columns);
  const int column = static_cast<int>(pixel % p.output_size.columns);

  const T* input = p.input + image * p.input_strides.image + channel * p.input_strides.channel;
  const int top = row * p.stride.rows - p.padding.rows,
            left = column * p.stride.columns - p.padding.columns;
  const int first_r = first_tap(top, p.kernel.rows, p.dilation.rows);
  const int first_s = first_tap(left, p.kernel.columns, p.dilation.columns);
  T best = -INFINITY;
  int winner = first_r * p.kernel.columns + first_s;
  for (int r = first_r; r < p.kernel.rows; ++r) {
    const int y = top + r * p.dilation.rows;
    if (y < 0 || y >= p.input_size.rows) continue;
    for (int s = first_s; s < p.kernel.columns; ++s) {
      const int x = left + s * p.dilation.columns;
      if (x < 0 || x >= p.input_size.columns) continue;
      const T value = input[y * p.input_strides.row + x * p.input_strides.column];
      if (value > best || value != value) {  // a NaN wins, and only a later NaN beats it
        best = value;
        winner = r * p.kernel.columns + s;
      }
    }
  }
  const auto at = [&](const ImageStrides& s) {
    return image * s.image + channel * s.channel + row * s.row + column * s.column;
  };
  p.output[at(p.output_strides)] = best;
  p.offsets[at(p.offset_strides)] = static_cast<Offset>(winner);
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T, class Offset>
void max_pool2d_window(const MaxPool2d<T, Offset>& p, Stream stream) {
  const std::int64_t tiles = pool_tiles(p.output_size);
  launch("max_pool2d_window", max_pool2d_window_kernel<T, Offset>,
         {.grid = {tiles * p.images * p.channels}, .block = {pool_threads}}, stream, p, tiles);
}

template void max_pool2d_window<float, std::uint8_t>(const MaxPool2d<float, std::uint8_t>&, Stream);
template void max_pool2d_window<float, std::int32_t>(const MaxPool2d<float, std::int32_t>&, Stream);
template void max_pool2d_window<double, std::uint8_t>(const MaxPool2d<double, std::uint8_t>&,
                                                      Stream);
template void max_pool2d_window<double, std::int32_t>(const MaxPool2d<double, std::int32_t>&,
                                                      Stream);

}  // namespace minidl::cuda
