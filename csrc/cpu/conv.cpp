#include "cpu/conv.h"

#include "cpu/conv_direct.h"
#include "cpu/conv_select.h"
#include "cpu/conv_unrolled.h"
#include "cpu/conv_weight_grad.h"

namespace minidl::cpu {

template <typename T>
void conv_forward(const ConvProblem& p, Image<const T> input, const T* weight, const T* bias,
                  Image<T> output) {
  if (p.batch == 0 || p.out_channels == 0) return;
  const ConvPass pass = forward_pass(p);
  if (select_pass(pass) == ConvAlgorithm::unrolled) {
    return conv_forward_unrolled(p, input.data, weight, bias, output.data);
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
