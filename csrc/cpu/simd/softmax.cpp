#include "cpu/softmax.h"

#include "cpu/simd/class_tiles.h"
#include "cpu/simd/cross_entropy.h"
#include "cpu/simd/math.h"

namespace minidl::cpu::MINIDL_ISA {
namespace {

template <typename T>
void softmax(const Rows& rows, const T* input, T* output) {
  for_tiles<T>(rows, [=](const auto& tile, int64_t offset, int64_t) {
    const T* x = input + offset;
    T* y = output + offset;
    Slots<T> max = class_maximum(tile, x);
    const Slots<T> sum = tile.sums([&](int64_t i, auto lanes, auto slot, int64_t) {
      const Vec<T> e = exp(load(x + i, lanes, kLowest<T>) - max[slot]);
      store(y + i, lanes, e);
      return e;
    });
    Slots<T> scale = tile.map(sum, [](Vec<T> v) { return T(1) / v; });
    tile.each([&](int64_t i, auto lanes, auto slot, int64_t) {
      store(y + i, lanes, load(y + i, lanes) * scale[slot]);
    });
  });
}

template <typename T>
void log_softmax(const Rows& rows, const T* input, T* output) {
  for_tiles<T>(rows, [=](const auto& tile, int64_t offset, int64_t) {
    const T* x = input + offset;
    T* y = output + offset;
    Slots<T> max = class_maximum(tile, x);
    Slots<T> log_sum = log_of_sums(tile, x, max);
    tile.each([&](int64_t i, auto lanes, auto slot, int64_t) {
      store(y + i, lanes, (load(x + i, lanes) - max[slot]) - log_sum[slot]);
    });
  });
}

template <typename T>
void logsumexp(const Rows& rows, const T* input, T* output) {
  for_tiles<T>(rows, [=](const auto& tile, int64_t offset, int64_t row) {
    const T* x = input + offset;
    Slots<T> largest = tile.map(class_maximum(tile, x), [](Vec<T> v) {
      return absolute(v) == std::numeric_limits<T>::infinity() ? Vec<T>{} : v;
    });
    T shift[kTileWidth<T>] = {}, logs[kTileWidth<T>] = {};
    tile.unpack(largest, shift);
    tile.unpack(log_of_sums(tile, x, largest), logs);
    for (int64_t j = 0; j < tile.width; ++j) output[row + j] = shift[j] + logs[j];
  });
}

template <typename T>
void softmax_backward(const Rows& rows, const T* grad, const T* output, T* grad_input) {
  for_tiles<T>(rows, [=](const auto& tile, int64_t offset, int64_t) {
    const T *g = grad + offset, *y = output + offset;
    T* out = grad_input + offset;
    Slots<T> sum = tile.sums([&](int64_t i, auto lanes, auto, int64_t) {
      return load(g + i, lanes) * load(y + i, lanes);
    });
    tile.each([&](int64_t i, auto lanes, auto slot, int64_t) {
      store(out + i, lanes, load(y + i, lanes) * (load(g + i, lanes) - sum[slot]));
    });
  });
}

template <typename T>
void log_softmax_backward(const Rows& rows, const T* grad, const T* output, T* grad_input) {
  for_tiles<T>(rows, [=](const auto& tile, int64_t offset, int64_t) {
    const T *g = grad + offset, *y = output + offset;
    T* out = grad_input + offset;
    Slots<T> sum =
        tile.sums([&](int64_t i, auto lanes, auto, int64_t) { return load(g + i, lanes); });
    tile.each([&](int64_t i, auto lanes, auto slot, int64_t) {
      store(out + i, lanes, load(g + i, lanes) - exp(load(y + i, lanes)) * sum[slot]);
    });
  });
}

}  // namespace

MINIDL_FILL_TABLES(SoftmaxKernels, softmax_kernels, .softmax = &softmax<T>,
                   .log_softmax = &log_softmax<T>, .logsumexp = &logsumexp<T>,
                   .softmax_backward = &softmax_backward<T>,
                   .log_softmax_backward = &log_softmax_backward<T>,
                   .cross_entropy = &cross_entropy<T>,
                   .cross_entropy_backward = &cross_entropy_backward<T>)

}  // namespace minidl::cpu::MINIDL_ISA
