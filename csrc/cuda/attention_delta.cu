// The sum of g * out of each row, which every gradient of attention wants: the part of a score's
// gradient that the softmax takes back.
#include "cuda/attention_kernels.h"
#include "cuda/launch.h"
#include "cuda/ptx/warp.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------

constexpr int delta_threads = 128;

// ---- Kernel -----------------------------------------------------------------------------------

// A warp sums one row of g * out.
template <class T>
__global__ void __launch_bounds__(delta_threads) attention_delta_kernel(AttentionOperands<T> o) {
  using Sum = accumulator_t<T>;
  const std::int64_t row =
      blockIdx.x * static_cast<std::int64_t>(delta_threads / warp_size) + threadIdx.x / warp_size;
  const bool inside = row < o.batch.count * o.queries;
  const auto at = o.batch.at(inside ? row / o.queries : 0);
  const std::int64_t query = inside ? row % o.queries : 0;
  const T* g = o.input[in_g] + at.in[in_g] + query * o.strides[in_g].row;
  const T* out = o.input[in_out] + at.in[in_out] + query * o.strides[in_out].row;
  Sum sum = Sum(0);
  for (std::int64_t v = threadIdx.x % warp_size; inside && v < o.value_features; v += warp_size)
    sum += static_cast<Sum>(g[v * o.strides[in_g].column]) *
           static_cast<Sum>(out[v * o.strides[in_out].column]);
  sum = warp_sum(sum);
  if (inside && threadIdx.x % warp_size == 0) o.delta[row] = sum;
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T>
void attention_delta(const AttentionOperands<T>& operands, Stream stream) {
  constexpr int warps = delta_threads / warp_size;
  launch("attention_delta", attention_delta_kernel<T>,
         {.grid = {(operands.batch.count * operands.queries + warps - 1) / warps},
          .block = {delta_threads}},
         stream, operands);
}

template void attention_delta<Half>(const AttentionOperands<Half>&, Stream);
template void attention_delta<BFloat16>(const AttentionOperands<BFloat16>&, Stream);
template void attention_delta<float>(const AttentionOperands<float>&, Stream);
template void attention_delta<double>(const AttentionOperands<double>&, Stream);

}  // namespace minidl::cuda
