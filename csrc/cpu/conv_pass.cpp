#include "cpu/conv_pass.h"

#include <algorithm>
#include <numeric>

namespace minidl::cpu {
namespace {

// Phase `phase` of the gradient by the input along axis d. Input i = phase + s j met the kernel's
// tap k at output (i + padding - dilation k) / s where that is whole: for every
// (s / gcd(s, dilation))-th tap. Taken from the last, their outputs ascend.
ConvAxis phase_of(const ConvProblem& p, int d, int64_t phase) {
  const int64_t s = p.stride[d], shift = phase + p.padding[d];
  const int64_t common = std::gcd(s, p.dilation[d]);
  ConvAxis axis{(p.size[d] - phase + s - 1) / s, phase, s, 0, 0, 1, p.dilation[d] / common, 0, 0};
  const int64_t step = s / common;
  int64_t tap = 0;  // the first that fits
  while (tap < std::min(step, p.kernel[d]) && (shift - tap * p.dilation[d]) % s != 0) ++tap;
  if (tap >= std::min(step, p.kernel[d])) return axis;
  axis.taps = (p.kernel[d] - 1 - tap) / step + 1;
  axis.kernel = tap + (axis.taps - 1) * step;
  axis.kernel_step = -step;
  axis.first = (shift - axis.kernel * p.dilation[d]) / s;
  return axis;
}

}  // namespace

Span ConvPass::reads(int axis, int64_t begin, int64_t end) const {
  Span span;
  for (const ConvAxis& a : axes[axis]) {
    const int64_t low = a.before(begin), high = a.before(end);
    if (low >= high || a.taps == 0) continue;
    const int64_t from = a.first + low * a.stride;
    const int64_t to = a.first + (high - 1) * a.stride + (a.taps - 1) * a.dilation + 1;
    span = span.size() == 0 ? Span{from, to}
                            : Span{std::min(span.begin, from), std::max(span.end, to)};
  }
  return span;
}

ConvPass forward_pass(const ConvProblem& p) {
  const int64_t taps = product(p.kernel), ins = p.group_in(), outs = p.group_out();
  ConvPass pass{p.batch,    p.groups,          ins, outs, p.size, p.out, p.kernel, taps,
                ins * taps, outs * ins * taps, {}};
  for (int d = 0; d < 3; ++d) {
    pass.axes[d].push_back(
        {p.out[d], 0, 1, p.kernel[d], -p.padding[d], p.stride[d], p.dilation[d], 0, 1});
  }
  return pass;
}

ConvPass input_grad_pass(const ConvProblem& p) {
  const int64_t taps = product(p.kernel), ins = p.group_in(), outs = p.group_out();
  ConvPass pass{p.batch, p.groups,          outs, ins, p.out, p.size, p.kernel, ins * taps,
                taps,    outs * ins * taps, {}};
  for (int d = 0; d < 3; ++d) {
    const int64_t phases = std::min(p.stride[d], p.size[d]);
    for (int64_t i = 0; i < phases; ++i) pass.axes[d].push_back(phase_of(p, d, i));
  }
  return pass;
}

}  // namespace minidl::cpu
