#include "cpu/conv_product.h"

#include "cpu/gemm.h"

namespace minidl::cpu {

template <typename T>
void conv_product(const ConvProblem& p, Image<const T> input, const T* weight, const T* bias,
                  Image<T> output) {
  const int64_t points = p.batch * product(p.size), C = p.in_channels, K = p.out_channels;
  gemm_kernels<T>().multiply_parallel({points, K, C}, {input.data, C, 1}, {weight, 1, C},
                                      {output.data, K, {.bias = bias}});
}

template <typename T>
void conv_product_input_grad(const ConvProblem& p, Image<const T> grad, const T* weight,
                             Image<T> grad_input) {
  const int64_t points = p.batch * product(p.size), C = p.in_channels, K = p.out_channels;
  gemm_kernels<T>().multiply_parallel({points, C, K}, {grad.data, K, 1}, {weight, C, 1},
                                      {grad_input.data, C});
}

template <typename T>
void conv_product_weight_grad(const ConvProblem& p, Image<const T> grad, Image<const T> input,
                              T* grad_weight) {
  const int64_t points = p.batch * product(p.size), C = p.in_channels, K = p.out_channels;
  gemm_kernels<T>().multiply_parallel({K, C, points}, {grad.data, 1, K}, {input.data, C, 1},
                                      {grad_weight, C});
}

#define MINIDL_INSTANTIATE(T)                                                                      \
  template void conv_product<T>(const ConvProblem&, Image<const T>, const T*, const T*, Image<T>); \
  template void conv_product_input_grad<T>(const ConvProblem&, Image<const T>, const T*,           \
                                           Image<T>);                                              \
  template void conv_product_weight_grad<T>(const ConvProblem&, Image<const T>, Image<const T>, T*);
MINIDL_INSTANTIATE(float)
MINIDL_INSTANTIATE(double)
#undef MINIDL_INSTANTIATE

}  // namespace minidl::cpu
