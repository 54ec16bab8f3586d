// What the taps of a convolution meet along one axis, for the output and for the gradient by the
// input alike.
//
// Forward, position p of the output meets p stride - padding + tap dilation of the input: one
// class of positions, and every tap counts. The gradient by the input turns this around: position y
// meets (y + padding - tap dilation) / stride of the output's gradient where that is whole. Which
// taps these are depends on y mod stride only. So the positions fall into `stride` classes, each a
// convolution of unit stride with some of the taps, and no tap is tried in vain.
#pragma once

#include <numeric>

#include "common/half.h"

namespace minidl::cuda {

enum class ConvDirection { forward, input_grad };

struct ConvAxis {
  int source, target, kernel;  // sizes; forward the source is the input, else the output's gradient
  int stride, padding, dilation;
  int classes;                  // of positions of the target
  int tap_step, dilation_step;  // stride and dilation without their common divisor
};

// Of one class, position first + i hop of the target, i < count, meets position
// base + i advance + j step of the source by tap first_tap + j tap_step, j < taps.
struct ConvReach {
  int count, first, hop;
  int base, advance, step;
  int taps, first_tap, tap_step;
};

inline ConvAxis conv_axis(ConvDirection direction, int source, int target, int kernel, int stride,
                          int padding, int dilation) {
  const int common = std::gcd(stride, dilation);
  // Classes beyond the target's size would be empty.
  const int classes = direction == ConvDirection::forward ? 1 : stride < target ? stride : target;
  return {source,   target,  kernel,          stride,           padding,
          dilation, classes, stride / common, dilation / common};
}

MINIDL_HOST_DEVICE constexpr ConvReach conv_reach(const ConvAxis& axis, ConvDirection direction,
                                                  int residue) {
  if (direction == ConvDirection::forward) {
    return {axis.target, 0, 1, -axis.padding, axis.stride, axis.dilation, axis.kernel, 0, 1};
  }
  const int count = (axis.target - residue + axis.stride - 1) / axis.stride;
  const int least = axis.kernel < axis.tap_step ? axis.kernel : axis.tap_step;
  for (int tap = 0; tap < least; ++tap) {
    const int distance = residue + axis.padding - tap * axis.dilation;
    if (distance % axis.stride == 0) {
      const int taps = (axis.kernel - 1 - tap) / axis.tap_step + 1;
      return {count, residue, axis.stride,  distance / axis.stride, 1, -axis.dilation_step,
              taps,  tap,     axis.tap_step};
    }
  }
  return {count, residue, axis.stride, 0, 1, 0, 0, 0, 1};
}

// The most taps that any class has.
inline int conv_most_taps(const ConvAxis& axis, ConvDirection direction) {
  return direction == ConvDirection::forward ? axis.kernel
                                             : (axis.kernel + axis.tap_step - 1) / axis.tap_step;
}

}  // namespace minidl::cuda
