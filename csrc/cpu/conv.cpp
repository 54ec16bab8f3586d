#include "cpu/conv.h"

#include "cpu/conv_direct.h"
#include "cpu/conv_product.h"
#include "cpu/conv_select.h"
#include "cpu/conv_unrolled.h"
#include "cpu/conv_weight_grad.h"
#include "cpu/conv_weights.h"
#include "cpu/conv_winograd.h"
#include "cpu/conv_winograd_grad.h"

namespace minidl::cpu {
namespace {

// Where only one of two arrays is channels-last, the direct kernels take them as they are.
bool in_one_order(const ImageLayout& a, const ImageLayout& b) {
  return (channels_first(a) && channels_first(b)) || (channels_last(a) && channels_last(b));
}

// By taps, or by another algorithm where that is faster and gives as much; `finite` as in
// conv_direct.
template <typename T>
bool run_pass(const ConvPass& pass, ConvAlgorithm algorithm, Image<const T> input, const T* weight,
              const T* bias, Image<T> output, bool finite) {
  if (algorithm == ConvAlgorithm::winograd && conv_winograd(pass, input, weight, bias, output)) {
    return true;
  }
  const bool first = channels_first(input.layout) && channels_first(output.layout);
  if (algorithm == ConvAlgorithm::planes && first) {
    if (finite && !all_finite(weight, pass.groups * pass.in * pass.out * pass.taps())) return false;
    conv_planes(pass, input, weight, bias, output);
    return true;
  }
  if (algorithm == ConvAlgorithm::depthwise && in_one_order(input.layout, output.layout)) {
    if (finite && !all_finite(weight, pass.groups * pass.taps())) return false;
    conv_depthwise(pass, input, weight, bias, output);
    return true;
  }
  return conv_direct(pass, input, weight, bias, output, finite);
}

}  // namespace

template <typename T>
void conv_forward(const ConvProblem& p, Image<const T> input, const T* weight, const T* bias,
                  Image<T> output) {
  if (p.batch == 0 || p.out_channels == 0) return;
  if (is_product(p, input.layout, output.layout))
    return conv_product(p, input, weight, bias, output);
  const ConvPass pass = forward_pass(p);
  const ConvAlgorithm algorithm = select_pass(pass, sizeof(T));
  if (algorithm == ConvAlgorithm::unrolled) {
    return conv_forward_unrolled(p, input.data, weight, bias, output.data);
  }
  run_pass(pass, algorithm, input, weight, bias, output, false);
}

template <typename T>
bool conv_input_grad(const ConvProblem& p, Image<const T> grad, const T* weight,
                     Image<T> grad_input) {
  if (p.batch == 0 || p.in_channels == 0) return true;
  if (is_product(p, grad_input.layout, grad.layout)) {
    conv_product_input_grad(p, grad, weight, grad_input);
    return true;
  }
  const ConvPass pass = input_grad_pass(p);
  const ConvAlgorithm algorithm = select_pass(pass, sizeof(T));
  if (algorithm == ConvAlgorithm::unrolled) {
    conv_input_grad_unrolled(p, grad.data, weight, grad_input.data);
    return true;
  }
  return run_pass<T>(pass, algorithm, grad, weight, nullptr, grad_input, true);
}

template <typename T>
void conv_weight_grad(const ConvProblem& p, Image<const T> grad, Image<const T> input,
                      T* grad_weight) {
  if (p.out_channels == 0 || p.in_channels == 0) return;
  if (is_product(p, input.layout, grad.layout)) {
    return conv_product_weight_grad(p, grad, input, grad_weight);
  }
  const ConvPass pass = forward_pass(p);
  const ConvAlgorithm algorithm = select_weight_grad(pass, sizeof(T));
  if (p.batch == 0 || algorithm == ConvAlgorithm::unrolled) {
    conv_weight_grad_unrolled(p, grad.data, input.data, grad_weight);
  } else if (algorithm == ConvAlgorithm::depthwise && in_one_order(input.layout, grad.layout)) {
    conv_depthwise_weight_grad(pass, grad, input, grad_weight);
  } else if (algorithm != ConvAlgorithm::winograd ||
             !conv_winograd_weight_grad(pass, grad, input, grad_weight)) {
    conv_weight_grad_direct(pass, grad, input, grad_weight);
  }
}

#define MINIDL_INSTANTIATE(T)                                                                      \
  template void conv_forward<T>(const ConvProblem&, Image<const T>, const T*, const T*, Image<T>); \
  template bool conv_input_grad<T>(const ConvProblem&, Image<const T>, const T*, Image<T>);        \
  template void conv_weight_grad<T>(const ConvProblem&, Image<const T>, Image<const T>, T*);
MINIDL_INSTANTIATE(float)
MINIDL_INSTANTIATE(double)
#undef MINIDL_INSTANTIATE

}  // namespace minidl::cpu
