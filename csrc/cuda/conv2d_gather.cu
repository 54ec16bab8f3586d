// Direct convolution, forward and gradient by the input. A thread owns one pixel of the target in a
// few channels and collects over the taps (source channel, kernel row, kernel column). The block
// stages a chunk of taps in shared memory: where each tap reaches and its weights, so the inner
// loop neither divides nor reads weights from global memory.
#include "cuda/conv2d_kernels.h"
#include "cuda/launch.h"
#include "cuda/ptx/shared.h"
#include "cuda/ptx/unroll.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// Threads and channels a thread: conv2d_select.h.

constexpr int taps_per_chunk = 128;

struct Tap {
  std::int64_t channel_offset;  // in the source
  int row, column;              // of the kernel, dilated
};

template <class T, int channels>
constexpr std::size_t shared_bytes = taps_per_chunk * (sizeof(Tap) + channels * sizeof(T));
static_assert(shared_bytes<double, 4> <= 48 * 1024, "a chunk must fit in shared memory");

// ---- Kernel -----------------------------------------------------------------------------------

// The source row (or column) that a tap meets for a target row; negative where none.
template <Conv2dDirection direction>
__device__ __forceinline__ int meet(int target, int tap, int stride, int padding) {
  if (direction == Conv2dDirection::forward) return target * stride - padding + tap;
  const int distance = target + padding - tap;
  if (stride == 1) return distance;
  return distance % stride == 0 ? distance / stride : -1;
}

// Fills taps [first, first + count) and their weights for `channels` target channels from `channel`
// on.
template <class T, int channels>
__device__ __forceinline__ void stage_taps(const Conv2dGather<T>& p, Tap* taps, T* weights,
                                           const T* weight, std::int64_t channel,
                                           std::int64_t first, int count) {
  const int area = p.kernel.rows * p.kernel.columns;
  for (int i = threadIdx.x; i < count * channels; i += blockDim.x) {
    const std::int64_t source = (first + i / channels) / area;
    const int position = static_cast<int>((first + i / channels) % area);
    const int row = position / p.kernel.columns, column = position % p.kernel.columns;
    const std::int64_t target = channel + i % channels;
    weights[i] = target < p.target_channels
                     ? weight[target * p.weight_target + source * p.weight_source +
                              row * p.weight_row + column * p.weight_column]
                     : T(0);
    if (i % channels == 0) {
      taps[i / channels] = {source * p.source_strides.channel, row * p.dilation.rows,
                            column * p.dilation.columns};
    }
  }
}

template <class T, Conv2dDirection direction, int channels>
__global__ void __launch_bounds__(128) conv2d_gather_kernel(Conv2dGather<T> p) {
  Tap* taps = dynamic_shared<Tap>();
  T* weights = reinterpret_cast<T*>(taps + taps_per_chunk);

  std::int64_t rest = blockIdx.x;
  const std::int64_t pixel = rest % p.pixel_tiles * blockDim.x + threadIdx.x;
  rest /= p.pixel_tiles;
  const std::int64_t channel = rest % p.channel_tiles * channels;
  rest /= p.channel_tiles;
  const std::int64_t group = rest % p.groups, image = rest / p.groups;

  const bool active = pixel < static_cast<std::int64_t>(p.target_size.rows) * p.target_size.columns;
  const int row = static_cast<int>(pixel / p.target_size.columns);
  const int column = static_cast<int>(pixel % p.target_size.columns);
  const T* source = p.source + image * p.source_strides.image +
                    group * p.source_channels * p.source_strides.channel;
  const T* weight = p.weight + group * p.weight_group;

  T sum[channels] = {};
  const std::int64_t all_taps = p.source_channels * p.kernel.rows * p.kernel.columns;
  for (std::int64_t first = 0; first < all_taps; first += taps_per_chunk) {
    const std::int64_t left = all_taps - first;
    const int count = left < taps_per_chunk ? static_cast<int>(left) : taps_per_chunk;
    stage_taps<T, channels>(p, taps, weights, weight, channel, first, count);
    __syncthreads();
    for (int t = 0; active && t < count; ++t) {
      const Tap tap = taps[t];
      const int y = meet<direction>(row, tap.row, p.stride.rows, p.padding.rows);
      const int x = meet<direction>(column, tap.column, p.stride.columns, p.padding.columns);
      if (y < 0 || y >= p.source_size.rows || x < 0 || x >= p.source_size.columns) continue;
      const T value =
          source[tap.channel_offset + y * p.source_strides.row + x * p.source_strides.column];
      MINIDL_UNROLL
      for (int c = 0; c < channels; ++c) sum[c] += value * weights[t * channels + c];
    }
    __syncthreads();
  }
  if (!active) return;

  T* target = p.target + image * p.target_strides.image + row * p.target_strides.row +
              column * p.target_strides.column;
  MINIDL_UNROLL
  for (int c = 0; c < channels; ++c) {
    if (channel + c >= p.target_channels) break;
    const std::int64_t k = group * p.target_channels + channel + c;
    target[k * p.target_strides.channel] = p.bias ? sum[c] + p.bias[k * p.bias_stride] : sum[c];
  }
}

// ---- Launcher ---------------------------------------------------------------------------------

template <class T, Conv2dDirection direction, int channels>
void run(const Conv2dGather<T>& p, const Conv2dGatherConfig& config, Stream stream) {
  launch("conv2d_gather", conv2d_gather_kernel<T, direction, channels>,
         {.grid = {p.pixel_tiles * p.channel_tiles * p.groups * p.images},
          .block = {config.threads},
          .shared_bytes = shared_bytes<T, channels>},
         stream, p);
}

}  // namespace

template <class T>
void conv2d_gather(Conv2dDirection direction, const Conv2dGather<T>& p,
                   const Conv2dGatherConfig& config, Stream stream) {
  const bool four = config.channels_per_thread == 4;
  if (direction == Conv2dDirection::forward) {
    four ? run<T, Conv2dDirection::forward, 4>(p, config, stream)
         : run<T, Conv2dDirection::forward, 1>(p, config, stream);
  } else {
    four ? run<T, Conv2dDirection::input_grad, 4>(p, config, stream)
         : run<T, Conv2dDirection::input_grad, 1>(p, config, stream);
  }
}

template void conv2d_gather<float>(Conv2dDirection, const Conv2dGather<float>&,
                                   const Conv2dGatherConfig&, Stream);
template void conv2d_gather<double>(Conv2dDirection, const Conv2dGather<double>&,
                                    const Conv2dGatherConfig&, Stream);

}  // namespace minidl::cuda
