// The small passes beside the products of a convolution: the weight in the order in which the
// kernels read it, and the sum of the parts of the weight's gradient. Memory-bound, a thread an
// element.
#include "cuda/conv_tile.h"
#include "cuda/launch.h"
#include "cuda/ptx/shared.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------

constexpr int threads = 256;

// ---- Kernel -----------------------------------------------------------------------------------

// Where the weight of a term lies; `channel` counts the channels of the target, in all groups.
__device__ __forceinline__ std::int64_t weight_offset(const ConvClass& c, const ConvLayout& layout,
                                                      const ConvStrides& strides,
                                                      std::int64_t channel, int term) {
  const ConvTerm t = term_at(c, term);
  const std::int64_t offset = tap_offset(c, t, strides);
  if (layout.direction == ConvDirection::forward) {
    return offset + channel * strides.image + t.channel * strides.channel;
  }
  const std::int64_t group = channel / layout.target_channels;
  return offset + (group * layout.source_channels + t.channel) * strides.image +
         channel % layout.target_channels * strides.channel;
}

template <class T>
__global__ void __launch_bounds__(threads) conv_pack_weight_kernel(ConvWeightPack<T> p) {
  ConvClass& c = *dynamic_shared<ConvClass>();
  const std::int64_t elements = p.channels * p.pitch, blocks = (elements + threads - 1) / threads;
  const std::int64_t number = blockIdx.x / blocks;
  prepare_class(c, p.layout, number);
  const std::int64_t i = blockIdx.x % blocks * threads + threadIdx.x;
  if (i >= elements) return;
  const std::int64_t channel = i / p.pitch;
  const int term = static_cast<int>(i % p.pitch);
  T value = T(0.0f);
  if (term < c.terms) value = p.weight[weight_offset(c, p.layout, p.strides, channel, term)];
  p.packed[number * elements + i] = value;
}

template <class T, class Sum>
__global__ void __launch_bounds__(threads) conv_sum_parts_kernel(ConvPartSum<T, Sum> p) {
  ConvClass& c = *dynamic_shared<ConvClass>();
  prepare_class(c, p.layout, 0);
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * threads + threadIdx.x;
  if (i >= p.elements) return;
  Sum sum = 0;
  for (std::int64_t part = 0; part < p.parts; ++part) sum += p.partial[part * p.elements + i];
  const int term = static_cast<int>(i % p.terms);
  p.weight_grad[weight_offset(c, p.layout, p.strides, i / p.terms, term)] = T(sum);
}

// ---- Launcher ---------------------------------------------------------------------------------

std::int64_t blocks_for(std::int64_t elements) { return (elements + threads - 1) / threads; }

}  // namespace

template <class T>
void conv_pack_weight(const ConvWeightPack<T>& p, Stream stream) {
  launch("conv_pack_weight", conv_pack_weight_kernel<T>,
         {.grid = {blocks_for(p.channels * p.pitch) * p.classes},
          .block = {threads},
          .shared_bytes = sizeof(ConvClass)},
         stream, p);
}

template <class T, class Sum>
void conv_sum_parts(const ConvPartSum<T, Sum>& p, Stream stream) {
  launch("conv_sum_parts", conv_sum_parts_kernel<T, Sum>,
         {.grid = {blocks_for(p.elements)}, .block = {threads}, .shared_bytes = sizeof(ConvClass)},
         stream, p);
}

template void conv_pack_weight<Half>(const ConvWeightPack<Half>&, Stream);
template void conv_pack_weight<BFloat16>(const ConvWeightPack<BFloat16>&, Stream);
template void conv_pack_weight<float>(const ConvWeightPack<float>&, Stream);
template void conv_pack_weight<double>(const ConvWeightPack<double>&, Stream);
template void conv_sum_parts<Half, float>(const ConvPartSum<Half, float>&, Stream);
template void conv_sum_parts<BFloat16, float>(const ConvPartSum<BFloat16, float>&, Stream);
template void conv_sum_parts<float, float>(const ConvPartSum<float, float>&, Stream);
template void conv_sum_parts<double, double>(const ConvPartSum<double, double>&, Stream);

}  // namespace minidl::cuda
