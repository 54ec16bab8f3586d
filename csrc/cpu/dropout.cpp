#include "cpu/dropout.h"

#include <cmath>

#include "cpu/thread_pool.h"

namespace minidl::cpu {
namespace {

constexpr int64_t kGrain = 16384;  // a multiple of the words of a block

template <typename T>
MaskedScale<T> part(const MaskedScale<T>& at, int64_t begin) {
  return {at.scale, at.input + begin, at.output + begin};
}

}  // namespace

template <typename T>
void draw_dropout(const MaskedScale<T>& at, float p, uint8_t* mask, int64_t count, Stream stream) {
  const auto threshold = static_cast<uint32_t>(std::ceil(p * 0x1p24f));
  parallel_for(count, kGrain, [&](int64_t begin, int64_t end) {
    dropout_kernels<T>().draw(part(at, begin), threshold, mask + begin, end - begin,
                              stream.after(begin / 4));
  });
}

template <typename T>
void apply_dropout(const MaskedScale<T>& at, const uint8_t* mask, int64_t count) {
  parallel_for(count, 2 * kGrain, [&](int64_t begin, int64_t end) {
    dropout_kernels<T>().apply(part(at, begin), mask + begin, end - begin);
  });
}

template void draw_dropout(const MaskedScale<float>&, float, uint8_t*, int64_t, Stream);
template void draw_dropout(const MaskedScale<double>&, float, uint8_t*, int64_t, Stream);
template void apply_dropout(const MaskedScale<float>&, const uint8_t*, int64_t);
template void apply_dropout(const MaskedScale<double>&, const uint8_t*, int64_t);

}  // namespace minidl::cpu
