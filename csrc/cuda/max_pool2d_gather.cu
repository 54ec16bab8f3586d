// Gradient of max pooling: a thread computes one element of the input's gradient by asking every
// window that has a tap there whether that tap won.
#include "cuda/launch.h"
#include "cuda/max_pool2d_kernels.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// pool_threads and pool_tiles(): max_pool2d_kernels.h

// ---- Kernel -----------------------------------------------------------------------------------

// The windows [first, end) of one dimension whose span contains `position` (counted from the padded
// start).
struct Windows {
  int first, end;
};

__device__ __forceinline__ Windows windows_over(int position, int kernel, int stride, int dilation,
                                                int count) {
  const int before = position - dilation * (kernel - 1);
  const int last = position / stride;
  return {before <= 0 ? 0 : (before + stride - 1) / stride, last < count ? last + 1 : count};
}

template <class T, class Offset>
__global__ void __launch_bounds__(pool_threads)
    max_pool2d_gather_kernel(MaxPool2dGrad<T, Offset> p, std::int64_t tiles) {
  const std::int64_t plane = blockIdx.x / tiles, tile = blockIdx.x % tiles;
  const std::int64_t image = plane / p.channels, channel = plane % p.channels;
  const std::int64_t pixel = tile * pool_threads + threadIdx.x;
  if (pixel >= static_cast<std::int64_t>(p.input_size.rows) * p.input_size.columns) return;
  const int row = static_cast<int>(pixel / p.input_size.columns);
  const int column = static_cast<int>(pixel % p.input_size.columns);

  const T* g = p.g + image * p.output_strides.image + channel * p.output_strides.channel;
  const Offset* offsets =
      p.offsets + image * p.offset_strides.image + channel * p.offset_strides.channel;
  const int y = row + p.padding.rows, x = column + p.padding.columns;
  const Windows rows =
      windows_over(y, p.kernel.rows, p.stride.rows, p.dilation.rows, p.output_size.rows);
  const Windows columns = windows_over(x, p.kernel.columns, p.stride.columns, p.dilation.columns,
                                       p.output_size.columns);
  T sum = 0;
  for (int i = rows.first; i < rows.end; ++i) {
    const int from_top = y - i * p.stride.rows;
    if (from_top % p.dilation.rows != 0) continue;
    for (int j = columns.first; j < columns.end; ++j) {
      const int from_left = x - j * p.stride.columns;
      if (from_left % p.dilation.columns != 0) continue;
      const int tap =
          from_top / p.dilation.rows * p.kernel.columns + from_left / p.dilation.columns;
      if (static_cast<int>(offsets[i * p.offset_strides.row + j * p.offset_strides.column]) ==
          tap) {
        sum += g[i * p.output_strides.row + j * p.output_strides.column];
      }
    }
  }
  p.input_grad[image * p.input_strides.image + channel * p.input_strides.channel +
               row * p.input_strides.row + column * p.input_strides.column] = sum;
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T, class Offset>
void max_pool2d_gather(const MaxPool2dGrad<T, Offset>& p, Stream stream) {
  const std::int64_t tiles = pool_tiles(p.input_size);
  launch("max_pool2d_gather", max_pool2d_gather_kernel<T, Offset>,
         {.grid = {tiles * p.images * p.channels}, .block = {pool_threads}}, stream, p, tiles);
}

template void max_pool2d_gather<float, std::uint8_t>(const MaxPool2dGrad<float, std::uint8_t>&,
                                                     Stream);
template void max_pool2d_gather<float, std::int32_t>(const MaxPool2dGrad<float, std::int32_t>&,
                                                     Stream);
template void max_pool2d_gather<double, std::uint8_t>(const MaxPool2dGrad<double, std::uint8_t>&,
                                                      Stream);
template void max_pool2d_gather<double, std::int32_t>(const MaxPool2dGrad<double, std::int32_t>&,
                                                      Stream);

}  // namespace minidl::cuda
