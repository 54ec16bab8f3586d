#include "cuda/max_pool2d.h"

#include "cuda/max_pool2d_kernels.h"

namespace minidl::cuda {
namespace {

void check_pool(const PoolGeometry& geometry, const Array& input, const Array& output,
                const Array& offsets) {
  check_rank("input", input, 4);
  check_rank("output", output, 4);
  check_dtype("output", output, input.dtype);
  check_shape("offsets", offsets, output.shape);
  MINIDL_CHECK(output.shape[0] == input.shape[0] && output.shape[1] == input.shape[1],
               "max_pool2d: output ", spell(output.shape), " does not fit input ",
               spell(input.shape));
  for (int d = 0; d < 2; ++d) {
    const std::int64_t kernel = geometry.kernel[d], stride = geometry.stride[d],
                       padding = geometry.padding[d], dilation = geometry.dilation[d],
                       size = output.shape[2 + d];
    MINIDL_CHECK(kernel > 0 && stride > 0 && dilation > 0 && padding >= 0,
                 "max_pool2d: kernel_size ", kernel, ", stride ", stride, " and dilation ",
                 dilation, " must be positive and padding ", padding, " not negative");
    narrow("the padded input", input.shape[2 + d] + 2 * padding);
    narrow("the reach of the last window", (size + 1) * stride + dilation * kernel);
  }
  const std::int64_t taps = geometry.kernel[0] * geometry.kernel[1];
  narrow("the number of taps of a window", taps);
  check_dtype("offsets", offsets, taps <= 256 ? DType::uint8 : DType::int32);
}

// Calls fn(T{}, Offset{}).
template <class Function>
void with_types(const Array& input, const Array& offsets, Function&& fn) {
  with_float_type("input", input, [&](auto zero) {
    offsets.dtype == DType::uint8 ? fn(zero, std::uint8_t{}) : fn(zero, std::int32_t{});
  });
}

}  // namespace

void max_pool2d(const Array& input, const Array& output, const Array& offsets,
                const PoolGeometry& geometry, Stream stream) {
  check_pool(geometry, input, output, offsets);
  with_types(input, offsets, [&](auto zero, auto offset) {
    using T = decltype(zero);
    using Offset = decltype(offset);
    max_pool2d_window<T, Offset>({.input = input.as<const T>(),
                                  .output = output.as<T>(),
                                  .offsets = offsets.as<Offset>(),
                                  .images = input.shape[0],
                                  .channels = input.shape[1],
                                  .input_size = size_of_images(input),
                                  .output_size = size_of_images(output),
                                  .kernel = size_of("kernel_size", geometry.kernel),
                                  .stride = size_of("stride", geometry.stride),
                                  .padding = size_of("padding", geometry.padding),
                                  .dilation = size_of("dilation", geometry.dilation),
                                  .input_strides = strides_of(input),
                                  .output_strides = strides_of(output),
                                  .offset_strides = strides_of(offsets)},
                                 stream);
  });
}

void max_pool2d_grad(const Array& g, const Array& offsets, const Array& input_grad,
                     const PoolGeometry& geometry, Stream stream) {
  check_pool(geometry, input_grad, g, offsets);
  with_types(g, offsets, [&](auto zero, auto offset) {
    using T = decltype(zero);
    using Offset = decltype(offset);
    max_pool2d_gather<T, Offset>({.input_grad = input_grad.as<T>(),
                                  .g = g.as<const T>(),
                                  .offsets = offsets.as<const Offset>(),
                                  .images = input_grad.shape[0],
                                  .channels = input_grad.shape[1],
                                  .input_size = size_of_images(input_grad),
                                  .output_size = size_of_images(g),
                                  .kernel = size_of("kernel_size", geometry.kernel),
                                  .stride = size_of("stride", geometry.stride),
                                  .padding = size_of("padding", geometry.padding),
                                  .dilation = size_of("dilation", geometry.dilation),
                                  .input_strides = strides_of(input_grad),
                                  .output_strides = strides_of(g),
                                  .offset_strides = strides_of(offsets)},
                                 stream);
  });
}

}  // namespace minidl::cuda
