// Which algorithm computes a convolution: a function of the problem alone.
#pragma once

#include <algorithm>
#include <string>

#include "cpu/conv_depthwise.h"
#include "cpu/conv_direct.h"
#include "cpu/conv_pass.h"
#include "cpu/conv_planes.h"
#include "cpu/conv_winograd.h"
#include "cpu/conv_winograd_grad.h"

namespace minidl::cpu {

enum class ConvAlgorithm { unrolled, direct, depthwise, planes, winograd };

inline const char* name_of(ConvAlgorithm algorithm) {
  switch (algorithm) {
    case ConvAlgorithm::unrolled:
      return "unrolled";
    case ConvAlgorithm::direct:
      return "direct";
    case ConvAlgorithm::depthwise:
      return "depthwise";
    case ConvAlgorithm::planes:
      return "planes";
    case ConvAlgorithm::winograd:
      return "winograd";
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

// For forward and the gradient by the input.
inline ConvAlgorithm select_pass(const ConvPass& pass, int64_t element_bytes) {
  if (!bands_fit(pass)) return ConvAlgorithm::unrolled;
  if (is_depthwise(pass)) return ConvAlgorithm::depthwise;
  if (planes_fit(pass)) return ConvAlgorithm::planes;
  // float64 is asked for by those who want every digit.
  return element_bytes == 4 && winograd_fits(pass) ? ConvAlgorithm::winograd
                                                   : ConvAlgorithm::direct;
}

// For the gradient by the weight, of a forward pass.
inline ConvAlgorithm select_weight_grad(const ConvPass& pass, int64_t element_bytes) {
  if (!bands_fit(pass)) return ConvAlgorithm::unrolled;
  if (is_depthwise(pass)) return ConvAlgorithm::depthwise;
  return element_bytes == 4 && winograd_grad_fits(pass) ? ConvAlgorithm::winograd
                                                        : ConvAlgorithm::direct;
}

// What a pass is cut into, for people: "winograd, bands of 7 rows of tiles, 2 images together".
std::string describe_pass(const ConvPass& pass, int64_t element_bytes);
std::string describe_weight_grad(const ConvPass& pass, int64_t element_bytes);

// Whether a pass reads arrays in any order and writes channels-last ones where asked to.
inline bool takes_any_order(const ConvPass& pass) { return bands_fit(pass); }

}  // namespace minidl::cpu
