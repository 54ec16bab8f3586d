// Direct convolution, gradient by the weight. A block sums one element of the weight over all
// images and output pixels, its threads in a grid of pixels x images, and adds its partial sums in
// a fixed order.
#include "cuda/block_sum.h"
#include "cuda/conv2d_kernels.h"
#include "cuda/launch.h"
#include "cuda/ptx/shared.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// The grid of threads: conv2d_select.h.

// ---- Kernel -----------------------------------------------------------------------------------

template <class T>
__global__ void __launch_bounds__(128) conv2d_weight_grad_kernel(Conv2dWeightGrad<T> p) {
  std::int64_t rest = blockIdx.x;
  const int kernel_column = static_cast<int>(rest % p.kernel.columns);
  rest /= p.kernel.columns;
  const int kernel_row = static_cast<int>(rest % p.kernel.rows);
  rest /= p.kernel.rows;
  const std::int64_t in = rest % p.in_channels_of_group, out = rest / p.in_channels_of_group;
  const std::int64_t in_channel = out / p.out_channels_of_group * p.in_channels_of_group + in;

  const T* g = p.g + out * p.g_strides.channel;
  const T* input = p.input + in_channel * p.input_strides.channel;
  const std::int64_t pixels = static_cast<std::int64_t>(p.output_size.rows) * p.output_size.columns;
  T sum = 0;
  for (std::int64_t pixel = threadIdx.x; pixel < pixels; pixel += blockDim.x) {
    const int row = static_cast<int>(pixel / p.output_size.columns);
    const int column = static_cast<int>(pixel % p.output_size.columns);
    const int y = row * p.stride.rows - p.padding.rows + kernel_row * p.dilation.rows;
    const int x =
        column * p.stride.columns - p.padding.columns + kernel_column * p.dilation.columns;
    if (y < 0 || y >= p.input_size.rows || x < 0 || x >= p.input_size.columns) continue;
    const std::int64_t at_g = row * p.g_strides.row + column * p.g_strides.column;
    const std::int64_t at_input = y * p.input_strides.row + x * p.input_strides.column;
    for (std::int64_t image = threadIdx.y; image < p.images; image += blockDim.y) {
      sum += g[at_g + image * p.g_strides.image] * input[at_input + image * p.input_strides.image];
    }
  }

  const int thread = static_cast<int>(threadIdx.y * blockDim.x + threadIdx.x);
  sum = block_sum(sum, dynamic_shared<T>(), thread, static_cast<int>(blockDim.x * blockDim.y));
  if (thread == 0) {
    p.weight_grad[out * p.weight_strides.image + in * p.weight_strides.channel +
                  kernel_row * p.weight_strides.row + kernel_column * p.weight_strides.column] =
        sum;
  }
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T>
void conv2d_weight_grad(const Conv2dWeightGrad<T>& p, const Conv2dWeightGradConfig& config,
                        Stream stream) {
  launch("conv2d_weight_grad", conv2d_weight_grad_kernel<T>,
         {.grid = {p.out_channels * p.in_channels_of_group * p.kernel.rows * p.kernel.columns},
          .block = {config.pixel_threads, config.image_threads},
          .shared_bytes = warp_size * sizeof(T)},
         stream, p);
}

template void conv2d_weight_grad<float>(const Conv2dWeightGrad<float>&,
                                        const Conv2dWeightGradConfig&, Stream);
template void conv2d_weight_grad<double>(const Conv2dWeightGrad<double>&,
                                         const Conv2dWeightGradConfig&, Stream);

}  // namespace minidl::cuda
