// Three spatial dimensions (depth, height, width), with which convolution and pooling describe one,
// two and three: a dimension that is missing has size, kernel, stride and dilation 1 and padding 0.
#pragma once

#include <array>
#include <cstdint>

namespace minidl::cpu {

using Extent = std::array<int64_t, 3>;

inline int64_t product(const Extent& e) { return e[0] * e[1] * e[2]; }

// ceil(a / b) for b > 0
inline int64_t ceil_div(int64_t a, int64_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }

// Elements from the first to the last tap of a window.
inline int64_t window_span(int64_t kernel, int64_t dilation) { return dilation * (kernel - 1) + 1; }

}  // namespace minidl::cpu
