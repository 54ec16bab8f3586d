// What forward convolution and its gradient by the input have in common: every output is a sum
// over taps of inputs times weights, and along each axis the input of output j's tap t lies at
// first + stride j + dilation t. Forward is one such axis; the gradient by the input of a
// convolution with stride s is s of them, interleaved ("phases"): outputs s apart see the same
// taps, in reverse order.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/conv.h"
#include "cpu/extent.h"

namespace minidl::cpu {

struct ConvAxis {
  int64_t count, place, step;             // output j < count lies at place + step j
  int64_t taps, first, stride, dilation;  // its tap t < taps reads the input at the above
  int64_t kernel, kernel_step;            // and the kernel at kernel + kernel_step t

  // Outputs before position `end`.
  int64_t before(int64_t end) const {
    const int64_t j = end <= place ? 0 : (end - place + step - 1) / step;
    return j < count ? j : count;
  }
};

// Positions [begin, end) of the input, maybe outside of it.
struct Span {
  int64_t begin = 0, end = 0;
  int64_t size() const { return end - begin; }
};

struct ConvPass {
  int64_t batch, groups, in, out;  // channels of a group
  Extent in_size, out_size, kernel;
  int64_t weight_in, weight_out;  // steps in the weight from channel to channel, in elements
  int64_t weight_group;           // and from group to group
  std::vector<ConvAxis> axes[3];

  int64_t taps() const { return product(kernel); }
  // One or two dimensions: there is nothing to sum along the first axis.
  bool is_flat() const {
    return in_size[0] == 1 && out_size[0] == 1 && kernel[0] == 1 && axes[0].size() == 1 &&
           axes[0][0].taps == 1 && axes[0][0].first == 0;
  }
  // What outputs [begin, end) of an axis read of the input.
  Span reads(int axis, int64_t begin, int64_t end) const;
};

ConvPass forward_pass(const ConvProblem& problem);
ConvPass input_grad_pass(const ConvProblem& problem);

}  // namespace minidl::cpu
