// Three spatial dimensions (depth, height, width), with which convolution and pooling describe one,
// two and three: a dimension that is missing has size, kernel, stride and dilation 1 and padding 0.
#pragma once

#include <array>
#include <cstdint>

#include "common/checks.h"

namespace minidl::cpu {

using Extent = std::array<int64_t, 3>;

inline int64_t product(const Extent& e) { return e[0] * e[1] * e[2]; }

// ceil(a / b) for b > 0
inline int64_t ceil_div(int64_t a, int64_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }

// No size, stride or padding is larger: sums of a few of them do not overflow.
inline constexpr int64_t kLargestExtent = int64_t{1} << 60;

// Elements from the first to the last tap of a window.
inline int64_t window_span(int64_t kernel, int64_t dilation) {
  int64_t steps = 0;
  const bool overflow = __builtin_mul_overflow(dilation, kernel - 1, &steps);
  MINIDL_CHECK(!overflow && steps < kLargestExtent, "a window of ", kernel,
               " elements with dilation ", dilation, " spans more than 2^60 elements");
  return steps + 1;
}

}  // namespace minidl::cpu
