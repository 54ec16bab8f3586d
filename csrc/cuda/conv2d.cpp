#include "cuda/conv2d.h"

#include "cuda/conv2d_kernels.h"

namespace minidl::cuda {
namespace {

void check_geometry(const Conv2dGeometry& geometry, const Array& input, const Array& weight,
                    const Array& output) {
  for (int d = 0; d < 2; ++d) {
    const std::int64_t stride = geometry.stride[d], padding = geometry.padding[d],
                       dilation = geometry.dilation[d];
    MINIDL_CHECK(stride > 0 && dilation > 0 && padding >= 0, "conv2d: stride ", stride,
                 " and dilation ", dilation, " must be positive and padding ", padding,
                 " not negative");
    const std::int64_t span = dilation * (weight.shape[2 + d] - 1) + 1;
    narrow("the padded input", input.shape[2 + d] + 2 * padding);
    narrow("the dilated kernel", span);
    const std::int64_t wanted = (input.shape[2 + d] + 2 * padding - span) / stride + 1;
    MINIDL_CHECK(output.shape[2 + d] == wanted, "conv2d: the output's size in dimension ", 2 + d,
                 " must be ", wanted, ", got shape ", spell(output.shape));
  }
}

void check_conv2d(const Conv2dGeometry& geometry, const Array& input, const Array& weight,
                  const Array& output) {
  check_rank("input", input, 4);
  check_rank("weight", weight, 4);
  check_rank("output", output, 4);
  check_dtype("weight", weight, input.dtype);
  check_dtype("output", output, input.dtype);
  const std::int64_t groups = geometry.groups, in = input.shape[1], out = weight.shape[0];
  MINIDL_CHECK(groups > 0 && in % groups == 0 && out % groups == 0, "conv2d: ", in, " input and ",
               out, " output channels must be divisible by groups = ", groups);
  MINIDL_CHECK(weight.shape[1] == in / groups && weight.shape[2] > 0 && weight.shape[3] > 0,
               "conv2d: weight ", spell(weight.shape), " does not fit ", in, " input channels in ",
               groups, " groups");
  MINIDL_CHECK(output.shape[0] == input.shape[0] && output.shape[1] == out, "conv2d: output ",
               spell(output.shape), " does not fit input ", spell(input.shape), " and weight ",
               spell(weight.shape));
  narrow("the number of taps of the kernel", weight.shape[2] * weight.shape[3]);
  check_geometry(geometry, input, weight, output);
}

template <class T>
void run_gather(Conv2dDirection direction, const Array& source, const Array& weight,
                const Array* bias, const Array& target, const Conv2dGeometry& geometry,
                Stream stream) {
  const bool forward = direction == Conv2dDirection::forward;
  const std::int64_t groups = geometry.groups;
  const auto config =
      select_conv2d_gather(target.shape[2] * target.shape[3], target.shape[1] / groups);
  const std::int64_t outs_of_group = weight.shape[0] / groups;
  conv2d_gather<T>(direction,
                   {.source = source.as<const T>(),
                    .weight = weight.as<const T>(),
                    .bias = bias ? bias->as<const T>() : nullptr,
                    .target = target.as<T>(),
                    .images = target.shape[0],
                    .groups = groups,
                    .source_channels = source.shape[1] / groups,
                    .target_channels = target.shape[1] / groups,
                    .source_size = size_of_images(source),
                    .target_size = size_of_images(target),
                    .kernel = size_of_images(weight),
                    .stride = size_of("stride", geometry.stride),
                    .padding = size_of("padding", geometry.padding),
                    .dilation = size_of("dilation", geometry.dilation),
                    .source_strides = strides_of(source),
                    .target_strides = strides_of(target),
                    .weight_group = outs_of_group * weight.strides[0],
                    .weight_target = weight.strides[forward ? 0 : 1],
                    .weight_source = weight.strides[forward ? 1 : 0],
                    .weight_row = weight.strides[2],
                    .weight_column = weight.strides[3],
                    .bias_stride = bias ? bias->strides[0] : 0,
                    .pixel_tiles = config.pixel_tiles,
                    .channel_tiles = config.channel_tiles},
                   config, stream);
}

}  // namespace

void conv2d_forward(const Array& input, const Array& weight, const Array* bias, const Array& output,
                    const Conv2dGeometry& geometry, Stream stream) {
  check_conv2d(geometry, input, weight, output);
  if (bias) {
    check_shape("bias", *bias, {weight.shape[0]});
    check_dtype("bias", *bias, input.dtype);
  }
  with_float_type("input", input, [&](auto zero) {
    run_gather<decltype(zero)>(Conv2dDirection::forward, input, weight, bias, output, geometry,
                               stream);
  });
}

void conv2d_input_grad(const Array& g, const Array& weight, const Array& input_grad,
                       const Conv2dGeometry& geometry, Stream stream) {
  check_conv2d(geometry, input_grad, weight, g);
  with_float_type("g", g, [&](auto zero) {
    run_gather<decltype(zero)>(Conv2dDirection::input_grad, g, weight, nullptr, input_grad,
                               geometry, stream);
  });
}

void conv2d_weight_grad(const Array& g, const Array& input, const Array& weight_grad,
                        const Conv2dGeometry& geometry, Stream stream) {
  check_conv2d(geometry, input, weight_grad, g);
  const auto config = select_conv2d_weight_grad(g.shape[2] * g.shape[3], g.shape[0]);
  with_float_type("g", g, [&](auto zero) {
    using T = decltype(zero);
    conv2d_weight_grad<T>({.g = g.as<const T>(),
                           .input = input.as<const T>(),
                           .weight_grad = weight_grad.as<T>(),
                           .images = g.shape[0],
                           .out_channels = weight_grad.shape[0],
                           .in_channels_of_group = weight_grad.shape[1],
                           .out_channels_of_group = weight_grad.shape[0] / geometry.groups,
                           .input_size = size_of_images(input),
                           .output_size = size_of_images(g),
                           .kernel = size_of_images(weight_grad),
                           .stride = size_of("stride", geometry.stride),
                           .padding = size_of("padding", geometry.padding),
                           .dilation = size_of("dilation", geometry.dilation),
                           .g_strides = strides_of(g),
                           .input_strides = strides_of(input),
                           .weight_strides = strides_of(weight_grad)},
                          config, stream);
  });
}

}  // namespace minidl::cuda
