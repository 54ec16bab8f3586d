#include "cpu/conv_weights.h"

#include <algorithm>

#include "cpu/conv_kernels.h"
#include "cpu/scratch.h"
#include "cpu/thread_pool.h"

namespace minidl::cpu {
namespace {

// For every tap of the kernel, where its row of weights goes: phase.offset + row, or -1 for none.
struct TapPlaces {
  std::vector<const PhaseWeights*> phase;
  std::vector<int64_t> tap;
};

TapPlaces places_of(const ConvPass& pass, const std::vector<PhaseWeights>& phases) {
  TapPlaces places;
  places.phase.resize(static_cast<size_t>(pass.taps()));
  places.tap.resize(static_cast<size_t>(pass.taps()));
  for (const PhaseWeights& phase : phases) {
    int64_t at = 0;
    const auto kernel = [&](int d, int64_t t) {
      return phase.axes[d]->kernel + t * phase.axes[d]->kernel_step;
    };
    for (int64_t i = 0; i < phase.axes[0]->taps; ++i) {
      for (int64_t j = 0; j < phase.axes[1]->taps; ++j) {
        for (int64_t k = 0; k < phase.axes[2]->taps; ++k) {
          const int64_t tap =
              (kernel(0, i) * pass.kernel[1] + kernel(1, j)) * pass.kernel[2] + kernel(2, k);
          places.phase[static_cast<size_t>(tap)] = &phase;
          places.tap[static_cast<size_t>(tap)] = at++;
        }
      }
    }
  }
  return places;
}

// One block of output channels of a group: weight [channel][...] to [phase][tap][in][channel].
template <typename T>
bool pack_block(const ConvPass& pass, const TapPlaces& places, const ChannelBlocks& blocks,
                int64_t block, const T* weight, T* packed) {
  const ConvKernels<T>& kernels = conv_kernels<T>();
  thread_local Scratch<T> scratch;
  const int64_t taps = pass.taps(), width = blocks.width(block), first = blocks.begin(block);
  T* const rows = scratch.reserve(taps * width);  // [tap][channel], the others zero
  std::fill_n(rows, taps * width, T(0));
  bool finite = true;
  for (int64_t c = 0; c < pass.in; ++c) {
    const T* from = weight + first * pass.weight_out + c * pass.weight_in;
    kernels.transpose(blocks.valid(block), taps, from, pass.weight_out, rows, width);
    finite &= all_finite(rows, taps * width);
    for (int64_t t = 0; t < taps; ++t) {
      const PhaseWeights* phase = places.phase[static_cast<size_t>(t)];
      if (phase == nullptr) continue;
      const int64_t row = places.tap[static_cast<size_t>(t)] * pass.in + c;
      T* to = packed + phase->offset + first * phase->taps * pass.in + row * width;
      std::copy_n(rows + t * width, width, to);
    }
  }
  return finite;
}

}  // namespace

template <typename T>
PackedWeights<T> pack_weights(const ConvPass& pass, const T* weight) {
  thread_local Scratch<T> scratch;
  PackedWeights<T> result{{}, {pass.out, conv_kernels<T>().lanes}, 0, nullptr, true};
  for (const ConvAxis& a : pass.axes[0]) {
    for (const ConvAxis& b : pass.axes[1]) {
      for (const ConvAxis& c : pass.axes[2]) {
        const int64_t taps = a.taps * b.taps * c.taps;
        result.phases.push_back({{&a, &b, &c}, taps, result.group});
        result.group += taps * pass.in * result.blocks.padded();
      }
    }
  }
  T* const packed = scratch.reserve(pass.groups * result.group);
  result.data = packed;
  const TapPlaces places = places_of(pass, result.phases);
  const int64_t blocks = result.blocks.count();
  std::atomic<bool> finite{true};
  parallel_for(pass.groups * blocks,
               std::max<int64_t>(1, 4096 / std::max<int64_t>(1, pass.in * pass.taps())),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) {
                   const int64_t g = i / blocks;
                   if (!pack_block(pass, places, result.blocks, i % blocks,
                                   weight + g * pass.weight_group, packed + g * result.group)) {
                     finite = false;
                   }
                 }
               });
  result.finite = finite;
  return result;
}

template PackedWeights<float> pack_weights<float>(const ConvPass&, const float*);
template PackedWeights<double> pack_weights<double>(const ConvPass&, const double*);

}  // namespace minidl::cpu
