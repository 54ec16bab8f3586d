#include "cuda/conv_layout.h"

#include <algorithm>
#include <cstdlib>

#include "cuda/images.h"

namespace minidl::cuda {
namespace {

// The shape without the axes that were absent.
std::string spell_images(const ConvArrays& a, const Array& images) {
  std::vector<std::int64_t> shape = images.shape;
  shape.erase(shape.begin() + 2, shape.begin() + 5 - a.axes);
  return spell(shape);
}

void check_channels(const ConvArrays& a) {
  const std::int64_t in = a.input.shape[1], out = a.weight.shape[0];
  MINIDL_CHECK(a.groups > 0 && in % a.groups == 0 && out % a.groups == 0, "conv: ", in,
               " input and ", out, " output channels must be divisible by groups = ", a.groups);
  MINIDL_CHECK(a.weight.shape[1] == in / a.groups, "conv: weight ", spell_images(a, a.weight),
               " does not fit ", in, " input channels in ", a.groups, " groups");
  MINIDL_CHECK(a.output.shape[0] == a.input.shape[0] && a.output.shape[1] == out, "conv: output ",
               spell_images(a, a.output), " does not fit input ", spell_images(a, a.input),
               " and weight ", spell_images(a, a.weight));
}

void check_axis(const ConvArrays& a, int d) {
  const std::int64_t stride = a.stride[d], padding = a.padding[d], dilation = a.dilation[d];
  MINIDL_CHECK(stride > 0 && dilation > 0 && padding >= 0, "conv: stride ", stride,
               " and dilation ", dilation, " must be positive and padding ", padding,
               " not negative");
  const std::int64_t kernel = a.weight.shape[2 + d];
  MINIDL_CHECK(kernel > 0, "conv: weight ", spell_images(a, a.weight), " has no taps");
  const std::int64_t span = dilation * (kernel - 1) + 1;
  const std::int64_t padded = a.input.shape[2 + d] + 2 * padding;
  image_coordinate("the padded input", padded);
  image_coordinate("the dilated kernel", span);
  image_coordinate("the stride", stride);
  const std::int64_t wanted = (padded - span) / stride + 1;
  MINIDL_CHECK(a.output.shape[2 + d] == wanted, "conv: the output's size in dimension ",
               a.axes - 1 + d, " must be ", wanted, ", got shape ", spell_images(a, a.output));
}

// The smallest step between neighbours in an image.
std::int64_t pixel_step(const Array& images) {
  std::int64_t least = std::int64_t{1} << 62;
  for (int d = 2; d < 5; ++d) {
    if (images.shape[d] > 1) least = std::min(least, std::abs(images.strides[d]));
  }
  return least;
}

bool channels_last(const Array& images) {
  return std::abs(images.strides[1]) <= pixel_step(images);
}

bool reads_packs(const Array& images, std::int64_t channels_of_group, int pack) {
  const std::int64_t bytes = pack * item_bytes(images.dtype);
  bool fits = images.strides[1] == 1 && channels_of_group % pack == 0 && channels_last(images) &&
              reinterpret_cast<std::uintptr_t>(images.data) % bytes == 0;
  for (const int d : {0, 2, 3, 4}) fits &= images.shape[d] == 1 || images.strides[d] % pack == 0;
  return fits;
}

}  // namespace

ConvArrays conv_arrays(const Array& input, const Array& weight, const Array& output,
                       const ConvGeometry& geometry) {
  check_dtype("weight", weight, input.dtype);
  check_dtype("output", output, input.dtype);
  const int axes = input.rank() - 2;
  const auto& [stride, padding, dilation, groups] = geometry;
  for (const auto* sizes : {&stride, &padding, &dilation}) {
    MINIDL_CHECK(static_cast<int>(sizes->size()) == axes && weight.rank() == axes + 2 &&
                     output.rank() == axes + 2,
                 "conv: stride ", spell(stride), ", padding ", spell(padding), ", dilation ",
                 spell(dilation), " and weight ", spell(weight.shape), " do not fit input ",
                 spell(input.shape));
  }
  ConvArrays a{with_three_dimensions("input", input),
               with_three_dimensions("weight", weight),
               with_three_dimensions("output", output),
               {1, 1, 1},
               {0, 0, 0},
               {1, 1, 1},
               groups,
               axes};
  std::copy(stride.begin(), stride.end(), a.stride + 3 - axes);
  std::copy(padding.begin(), padding.end(), a.padding + 3 - axes);
  std::copy(dilation.begin(), dilation.end(), a.dilation + 3 - axes);
  check_channels(a);
  for (int d = 0; d < 3; ++d) check_axis(a, d);
  return a;
}

ConvLayout conv_layout(const ConvArrays& a, ConvPass pass, int pack) {
  const bool backward = pass == ConvPass::input_grad;
  const Array &source = backward ? a.output : a.input, &target = backward ? a.input : a.output;
  ConvLayout layout;
  layout.direction = backward ? ConvDirection::input_grad : ConvDirection::forward;
  for (int d = 0; d < 3; ++d) {
    layout.axis[d] =
        conv_axis(layout.direction, static_cast<int>(source.shape[2 + d]),
                  static_cast<int>(target.shape[2 + d]), static_cast<int>(a.weight.shape[2 + d]),
                  static_cast<int>(a.stride[d]), static_cast<int>(a.padding[d]),
                  static_cast<int>(a.dilation[d]));
  }
  layout.images = image_coordinate("the number of images", target.shape[0]);
  layout.groups = image_coordinate("the number of groups", a.groups);
  layout.source_channels = image_coordinate("the number of channels", source.shape[1] / a.groups);
  layout.target_channels = image_coordinate("the number of channels", target.shape[1] / a.groups);
  layout.source = conv_strides(source);
  layout.target = conv_strides(target);
  layout.channels_fastest = channels_last(source);
  layout.target_channels_last = channels_last(target);
  layout.source_packs = reads_packs(source, layout.source_channels, pack);
  layout.target_packs = reads_packs(target, layout.target_channels, pack);
  const int whole = static_cast<int>(16 / item_bytes(source.dtype));
  layout.depthwise_packs = layout.source_channels == 1 && layout.target_channels == 1 &&
                           reads_packs(source, layout.groups, whole) &&
                           reads_packs(target, layout.groups, whole);
  image_coordinate("the number of products of an output", conv_terms(layout));
  return layout;
}

std::int64_t conv_classes(const ConvLayout& layout) {
  std::int64_t classes = 1;
  for (const ConvAxis& axis : layout.axis) classes *= axis.classes;
  return classes;
}

std::int64_t conv_pixels_of_image(const ConvLayout& layout) {
  std::int64_t pixels = 1;
  for (const ConvAxis& axis : layout.axis) {
    pixels *= axis.target > 0 ? conv_reach(axis, layout.direction, 0).count : 0;
  }
  return pixels;
}

std::int64_t conv_terms(const ConvLayout& layout) {
  std::int64_t terms = layout.source_channels;
  for (const ConvAxis& axis : layout.axis) terms *= conv_most_taps(axis, layout.direction);
  return terms;
}

ConvStrides conv_strides(const Array& array) {
  return {
      array.strides[0], array.strides[1], {array.strides[2], array.strides[3], array.strides[4]}};
}

bool conv_weight_is_packed(const Array& weight, const ConvLayout& layout) {
  if (layout.direction != ConvDirection::forward) return false;
  std::int64_t step = 1;
  const auto dense = [&](int axis) {
    const bool fits = weight.shape[axis] == 1 || weight.strides[axis] == step;
    step *= weight.shape[axis];
    return fits;
  };
  bool fits = !layout.channels_fastest || dense(1);
  for (const int axis : {4, 3, 2}) fits &= dense(axis);
  fits &= layout.channels_fastest || dense(1);
  return fits && dense(0) && conv_terms(layout) * item_bytes(weight.dtype) % 16 == 0 &&
         reinterpret_cast<std::uintptr_t>(weight.data) % 16 == 0;
}

}  // namespace minidl::cuda
