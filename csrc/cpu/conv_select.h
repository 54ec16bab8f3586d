// Which algorithm computes a convolution: a function of the problem alone.
#pragma once

#include <algorithm>

#include "cpu/conv_depthwise.h"
#include "cpu/conv_direct.h"
#include "cpu/conv_pass.h"

namespace minidl::cpu {

enum class ConvAlgorithm { unrolled, direct, depthwise };

inline const char* name_of(ConvAlgorithm algorithm) {
  switch (algorithm) {
    case ConvAlgorithm::unrolled:
      return "unrolled";
    case ConvAlgorithm::direct:
      return "direct";
    case ConvAlgorithm::depthwise:
      return "depthwise";
  }
  return "";
}

// Whether the bands of a direct convolution stay in proportion to the image: windows may be spread
// so far by dilation that one row of outputs reads mostly padding.
inline bool bands_fit(const ConvPass& pass) {
  int64_t image = pass.in;
  for (int d = 0; d < 3; ++d) {
    if (pass.axes[d].size() > 64) return false;
    const Span reads = pass.reads(d, 0, pass.out_size[d]);
    if (reads.size() > 4 * pass.in_size[d] + 64) return false;
    image *= pass.in_size[d];
  }
  return band_elements(pass, 1) <= std::max<int64_t>(1 << 18, 4 * image);
}

inline ConvAlgorithm select_pass(const ConvPass& pass) {
  if (!bands_fit(pass)) return ConvAlgorithm::unrolled;
  return is_depthwise(pass) ? ConvAlgorithm::depthwise : ConvAlgorithm::direct;
}

// Whether a pass reads arrays in any order and writes channels-last ones where asked to.
inline bool takes_any_order(const ConvPass& pass) {
  return select_pass(pass) != ConvAlgorithm::unrolled;
}

}  // namespace minidl::cpu
