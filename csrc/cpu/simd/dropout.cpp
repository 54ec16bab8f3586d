#include "cpu/dropout.h"

#include "cpu/simd/philox.h"

namespace minidl::cpu::MINIDL_ISA {
namespace {

constexpr int64_t kWords = 256;  // drawn at a time: they stay in the first cache

template <class T>
void draw(const MaskedScale<T>& at, uint32_t threshold, uint8_t* mask, int64_t count,
          Stream stream) {
  const Philox philox(stream.seed);
  const T scale = at.scale;
  int32_t words[kWords];
  for (int64_t begin = 0; begin < count; begin += kWords) {
    for (int64_t block = 0; block < kWords / 4; block += kBlocks) {
      const auto [first, second] = in_order(philox(stream.after(begin / 4 + block).offset));
      store(words + 4 * block, words_of(first));
      store(words + 4 * block + 2 * kBlocks, words_of(second));
    }
    const int64_t some = count - begin < kWords ? count - begin : kWords;
    const T* __restrict input = at.input + begin;
    T* __restrict output = at.output + begin;
    uint8_t* __restrict kept = mask + begin;
    for (int64_t i = 0; i < some; ++i) {
      const bool stays = static_cast<uint32_t>(words[i]) >> 8 >= threshold;
      kept[i] = stays;
      output[i] = input[i] * (stays ? scale : T(0));
    }
  }
}

template <class T>
void apply_run(int64_t count, T scale, const T* __restrict input, const uint8_t* __restrict mask,
               T* __restrict output) {
  for (int64_t i = 0; i < count; ++i) output[i] = input[i] * (mask[i] != 0 ? scale : T(0));
}

template <class T>
void apply(const MaskedScale<T>& at, const uint8_t* mask, int64_t count) {
  apply_run(count, at.scale, at.input, mask, at.output);
}

}  // namespace

MINIDL_FILL_TABLES(DropoutKernels, dropout_kernels, .draw = &draw<T>, .apply = &apply<T>)

}  // namespace minidl::cpu::MINIDL_ISA
