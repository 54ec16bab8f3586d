#include "cpu/conv.h"

#include "cpu/conv_direct.h"
#include "cpu/conv_select.h"
#include "cpu/conv_unrolled.h"
#include "cpu/conv_weight_grad.h"
#include "cpu/conv_weights.h"

namespace minidl::cpu {
namespace {

// Where only one of two arrays is channels-last, the direct kernels take them as they are.
bool depthwise_fits(const ConvPass& pass, const ImageLayout& a, const ImageLayout& b) {
  return select_pass(pass) == ConvAlgorithm::depthwise &&
         ((channels_first(a) && channels_first(b)) || (channels_last(a) && channels_last(b)));
}

}  // namespace

template <typename T>
void conv_forward(const ConvProblem& p, Image<const T> input, const T* weight, const T* bias,
                  Image<T> output) {
  if (p.batch == 0 || p.out_channels == 0) return;
  const ConvPass pass = forward_pass(p);
  if (select_pass(pass) == ConvAlgorithm::unrolled) {
    return conv_forward_unrolled(p, input.data, weight, bias, output.data);
  }
  if (depthwise_fits(pass, input.layout, output.layout)) {
    return conv_depthwise(pass, input, weight, bias, output);
  }
  conv_direct(pass, input, weight, bias, output, false);
}

template <typename T>
bool conv_input_grad(const ConvProblem& p, Image<const T> grad, const T* weight,
                     Image<T> grad_input) {
  if (p.batch == 0 || p.in_channels == 0) return true;
  const ConvPass pass = input_grad_pass(p);
  if (select_pass(pass) == ConvAlgorithm::unrolled) {
    conv_input_grad_unrolled(p, grad.data, weight, grad_input.data);
    return true;
  }
  if (depthwise_fits(pass, grad.layout, grad_input.layout)) {
    if (!channels_last(grad.layout) && !all_finite(weight, p.out_channels * p.rows())) return false;
    conv_depthwise<T>(pass, grad, weight, nullptr, grad_input);
    return true;
  }
  return conv_direct<T>(pass, grad, weight, nullptr, grad_input, true);
}

template <typename T>
void conv_weight_grad(const ConvProblem& p, Image<const T> grad, Image<const T> input,
                      T* grad_weight) {
  if (p.out_channels == 0 || p.in_channels == 0) return;
  const ConvPass pass = forward_pass(p);
  if (p.batch == 0 || select_pass(pass) == ConvAlgorithm::unrolled) {
    return conv_weight_grad_unrolled(p, grad.data, input.data, grad_weight);
  }
  if (depthwise_fits(pass, input.layout, grad.layout)) {
    return conv_depthwise_weight_grad(pass, grad, input, grad_weight);
  }
  conv_weight_grad_direct(pass, grad, input, grad_weight);
}

#define MINIDL_INSTANTIATE(T)                                                                      \
  template void conv_forward<T>(const ConvProblem&, Image<const T>, const T*, const T*, Image<T>); \
  template bool conv_input_grad<T>(const ConvProblem&, Image<const T>, const T*, Image<T>);        \
  template void conv_weight_grad<T>(const ConvProblem&, Image<const T>, Image<const T>, T*);
MINIDL_INSTANTIATE(float)
MINIDL_INSTANTIATE(double)
#undef MINIDL_INSTANTIATE

}  // namespace minidl::cpu
