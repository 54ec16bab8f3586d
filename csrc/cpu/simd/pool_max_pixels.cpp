// Maxima over windows of pixels (channels last): the channels of a pixel lie side by side in a
// vector.
#include <limits>

#include "cpu/pool.h"
#include "cpu/simd/pool_windows.h"
#include "cpu/thread_pool.h"

namespace minidl::cpu::MINIDL_ISA {
namespace {

// Calls block(first channel, channels, a vector count as an integral_constant) until all channels
// are done. Where there are enough, the last vector is moved to the left to be a whole one.
template <typename T, typename Block>
MINIDL_INLINE void in_blocks(int64_t channels, const Block& block) {
  constexpr int64_t lanes = kLanes<T>;
  int64_t c = 0;
  for (; c + 4 * lanes <= channels; c += 4 * lanes) {
    block(c, lanes, std::integral_constant<int, 4>{});
  }
  for (; c + lanes <= channels; c += lanes) block(c, lanes, std::integral_constant<int, 1>{});
  if (c == channels) return;
  const int64_t from = channels < lanes ? 0 : channels - lanes;
  block(from, channels - from, std::integral_constant<int, 1>{});
}

template <typename T>
MINIDL_INLINE Vec<T> load_lanes(const T* from, int64_t n) {
  return n == kLanes<T> ? load(from) : load_n(from, n);
}
template <typename T>
MINIDL_INLINE void store_lanes(T* to, int64_t n, Vec<T> v) {
  n == kLanes<T> ? store(to, v) : store_n(to, n, v);
}

template <typename T, typename Offset>
void window(const MaxPoolProblem& p, const T* image, const Taps& az, const Taps& ay, const Taps& ax,
            T* output, Offset* offsets) {
  const int64_t first = (az.first * p.kernel[1] + ay.first) * p.kernel[2] + ax.first;
  in_blocks<T>(p.inner, [&](int64_t channel, int64_t n, auto count) {
    constexpr int kVectors = decltype(count)::value;
    Vec<T> best[kVectors];
    Vec<Int<T>> winner[kVectors];
    for (int v = 0; v < kVectors; ++v) {
      best[v] = splat(-std::numeric_limits<T>::infinity());
      winner[v] = splat(static_cast<Int<T>>(first));
    }
    for (int64_t a = az.begin; a < az.end; ++a) {
      for (int64_t b = ay.begin; b < ay.end; ++b) {
        const int64_t iz = az.origin + a * p.dilation[0], iy = ay.origin + b * p.dilation[1];
        const T* const line = image + (iz * p.size[1] + iy) * p.size[2] * p.inner + channel;
        for (int64_t c = ax.begin; c < ax.end; ++c) {
          const T* const from = line + (ax.origin + c * p.dilation[2]) * p.inner;
          const int64_t tap = (a * p.kernel[1] + b) * p.kernel[2] + c;
          for (int v = 0; v < kVectors; ++v) {
            keep_larger<T>(load_lanes(from + v * kLanes<T>, n), splat(static_cast<Int<T>>(tap)),
                           best[v], winner[v]);
          }
        }
      }
    }
    for (int v = 0; v < kVectors; ++v) {
      store_lanes(output + channel + v * kLanes<T>, n, best[v]);
      store_taps<T>(offsets + channel + v * kLanes<T>, 0, n, winner[v]);
    }
  });
}

template <typename T, typename Offset>
void forward(const MaxPoolProblem& p, const T* input, T* output, Offset* offsets) {
  const int64_t lines = p.outer * p.out[0] * p.out[1], length = p.out[2] * p.inner;
  const int64_t image = p.size[0] * p.size[1] * p.size[2] * p.inner;
  const int64_t grain = std::max<int64_t>(1, kPoolTask / std::max<int64_t>(1, length));
  const auto depth = all_taps(p, 0), height = all_taps(p, 1), width = all_taps(p, 2);
  parallel_for(lines, grain, [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; ++line) {
      const int64_t y = line % p.out[1], rest = line / p.out[1];
      const Taps &az = depth.data()[rest % p.out[0]], &ay = height.data()[y];
      const T* const from = input + rest / p.out[0] * image;
      for (int64_t x = 0; x < p.out[2]; ++x) {
        const int64_t at = line * length + x * p.inner;
        window(p, from, az, ay, width.data()[x], output + at, offsets + at);
      }
    }
  });
}

// One pixel of grad_input: what the windows that cover it hand to it.
template <typename T, typename Offset>
void pixel(const MaxPoolProblem& p, const T* grad, const Offset* offsets, const Covering& cz,
           const Covering& cy, const Covering& cx, T* grad_input) {
  in_blocks<T>(p.inner, [&](int64_t channel, int64_t n, auto count) {
    constexpr int kVectors = decltype(count)::value;
    Vec<T> sum[kVectors]{};
    for (int64_t oz = cz.begin; oz < cz.end; ++oz) {
      for (int64_t oy = cy.begin; oy < cy.end; ++oy) {
        const int64_t a = cz.tap(p, 0, oz), b = cy.tap(p, 1, oy);
        if (a < 0 || b < 0) continue;
        const int64_t line = (oz * p.out[1] + oy) * p.out[2];
        for (int64_t ox = cx.begin; ox < cx.end; ++ox) {
          const int64_t c = cx.tap(p, 2, ox);
          if (c < 0) continue;
          const int64_t at = (line + ox) * p.inner + channel;
          const auto tap = splat(static_cast<Int<T>>((a * p.kernel[1] + b) * p.kernel[2] + c));
          for (int v = 0; v < kVectors; ++v) {
            const int64_t from = at + v * kLanes<T>;
            const auto won = load_taps<T>(offsets + from, 0, n) == tap;
            sum[v] += won ? load_lanes(grad + from, n) : Vec<T>{};
          }
        }
      }
    }
    for (int v = 0; v < kVectors; ++v) {
      store_lanes(grad_input + channel + v * kLanes<T>, n, sum[v]);
    }
  });
}

template <typename T, typename Offset>
void backward(const MaxPoolProblem& p, const T* grad, const Offset* offsets, T* grad_input) {
  const int64_t lines = p.outer * p.size[0] * p.size[1], length = p.size[2] * p.inner;
  const int64_t image = p.out[0] * p.out[1] * p.out[2] * p.inner;
  const int64_t grain = std::max<int64_t>(1, kPoolTask / std::max<int64_t>(1, length));
  const auto depth = all_covering(p, 0), height = all_covering(p, 1), width = all_covering(p, 2);
  parallel_for(lines, grain, [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; ++line) {
      const int64_t y = line % p.size[1], rest = line / p.size[1];
      const Covering &cz = depth.data()[rest % p.size[0]], &cy = height.data()[y];
      const int64_t from = rest / p.size[0] * image;
      for (int64_t x = 0; x < p.size[2]; ++x) {
        pixel(p, grad + from, offsets + from, cz, cy, width.data()[x],
              grad_input + line * length + x * p.inner);
      }
    }
  });
}

}  // namespace

MINIDL_FILL_TABLES(MaxPoolKernels, max_pool_pixels,
                   .byte = {&forward<T, uint8_t>, &backward<T, uint8_t>},
                   .wide = {&forward<T, int32_t>, &backward<T, int32_t>})

}  // namespace minidl::cpu::MINIDL_ISA
