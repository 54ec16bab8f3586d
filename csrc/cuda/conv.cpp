#include "cuda/conv.h"

#include "cuda/conv_layout.h"
#include "cuda/device.h"

namespace minidl::cuda {
namespace {

// How many neighbours the kernels read at once where they can.
int pack_of(ConvConfig::Algorithm algorithm, DType dtype) {
  return algorithm == ConvConfig::mma ? 8 : dtype == DType::float64 ? 2 : 4;
}

std::int64_t round_up(std::int64_t value, std::int64_t to) { return (value + to - 1) / to * to; }

std::int64_t sum_bytes(DType dtype) { return dtype == DType::float64 ? 8 : 4; }

struct Plan {
  ConvArrays arrays;
  ConvLayout layout;
  ConvProblem problem = {};
  ConvConfig config = {};
  bool packs_weight = false;
  std::int64_t weight_pitch = 0;     // of the packed weight
  std::int64_t workspace_bytes = 0;  // packed weight, or parts of the weight's gradient

  std::int64_t channels() const { return problem.groups * problem.target_channels; }
};

Plan plan(ConvPass pass, const ConvArrays& arrays) {
  const DType dtype = arrays.input.dtype;
  const int capability = device_capability();
  const int pack = pack_of(conv_algorithm(dtype, capability), dtype);
  Plan p{.arrays = arrays, .layout = conv_layout(arrays, pass, pack)};
  const ConvLayout& layout = p.layout;
  p.problem = {.pass = pass,
               .dtype = dtype,
               .pixels = layout.images * conv_pixels_of_image(layout),
               .classes = conv_classes(layout),
               .groups = layout.groups,
               .source_channels = layout.source_channels,
               .target_channels = layout.target_channels,
               .terms = conv_terms(layout),
               .capability = capability,
               .channels_last = layout.channels_fastest && layout.target_channels_last,
               .packs = layout.depthwise_packs};
  p.config = select_conv(p.problem);
  p.packs_weight = pass != ConvPass::weight_grad && !conv_weight_is_packed(arrays.weight, layout);
  p.weight_pitch = round_up(p.problem.terms, 16 / item_bytes(dtype));
  if (p.packs_weight) {
    p.workspace_bytes = p.problem.classes * p.channels() * p.weight_pitch * item_bytes(dtype);
  }
  if (pass == ConvPass::weight_grad) {
    p.workspace_bytes = p.config.parts * p.channels() * p.problem.terms * sum_bytes(dtype);
  }
  return p;
}

Plan plan(ConvPass pass, const Array& first, const Array& second, const Array& result,
          const ConvGeometry& geometry) {
  switch (pass) {
    case ConvPass::forward:
      return plan(pass, conv_arrays(first, second, result, geometry));
    case ConvPass::input_grad:
      return plan(pass, conv_arrays(result, second, first, geometry));
    default:
      return plan(pass, conv_arrays(second, result, first, geometry));
  }
}

void* memory(const ConvWorkspace& workspace, std::int64_t bytes) {
  void* address = workspace(bytes);
  MINIDL_CHECK(address && reinterpret_cast<std::uintptr_t>(address) % 16 == 0,
               "conv wants a workspace of ", bytes, " bytes that 16 divides the address of");
  return address;
}

// The weight as the kernels read it: itself, or a copy in the workspace.
template <class T>
const T* packed_weight(const Plan& p, const ConvWorkspace& workspace, Stream stream) {
  if (!p.packs_weight) return p.arrays.weight.as<const T>();
  T* packed = static_cast<T*>(memory(workspace, p.workspace_bytes));
  conv_pack_weight<T>({.layout = p.layout,
                       .weight = p.arrays.weight.as<const T>(),
                       .packed = packed,
                       .strides = conv_strides(p.arrays.weight),
                       .classes = p.problem.classes,
                       .channels = p.channels(),
                       .pitch = p.weight_pitch},
                      stream);
  return packed;
}

// Kernels count pixels in 32 bits, so a huge batch takes several launches: calls
// body(layout, source, target, tiles of pixels) for each of them.
template <class T, class Body>
void for_images(const Plan& p, const T* source, T* target, Body body) {
  constexpr std::int64_t most_pixels = 1 << 30;
  const std::int64_t of_image = conv_pixels_of_image(p.layout), images = p.layout.images;
  MINIDL_CHECK_AS(NotSupported, of_image <= most_pixels, "conv: an image of ", of_image,
                  " pixels is beyond the limit of ", most_pixels);
  const std::int64_t step = std::min(images, most_pixels / of_image);
  for (std::int64_t first = 0; first < images; first += step) {
    ConvLayout layout = p.layout;
    layout.images = static_cast<int>(std::min(step, images - first));
    body(layout, source + first * layout.source.image, target + first * layout.target.image,
         (layout.images * of_image + p.config.tile_m - 1) / p.config.tile_m);
  }
}

template <class T>
void run_depthwise(const Plan& p, const T* source, const T* bias, std::int64_t bias_stride,
                   T* target, Stream stream) {
  for_images(p, source, target,
             [&](const ConvLayout& layout, const T* from, T* to, std::int64_t tiles) {
               conv_depthwise<T>({.layout = layout,
                                  .source = from,
                                  .weight = p.arrays.weight.as<const T>(),
                                  .bias = bias,
                                  .target = to,
                                  .weight_strides = conv_strides(p.arrays.weight),
                                  .bias_stride = bias_stride,
                                  .lanes = p.config.lanes,
                                  .pixels_of_block = p.config.tile_m,
                                  .pixel_tiles = tiles,
                                  .channel_tiles = p.config.tiles_n},
                                 stream);
             });
}

template <class T>
void run_gemm(const Plan& p, const T* source, const T* weight, const T* bias,
              std::int64_t bias_stride, T* target, Stream stream) {
  for_images(p, source, target,
             [&](const ConvLayout& layout, const T* from, T* to, std::int64_t tiles) {
               const ConvGemm<T> gemm{.layout = layout,
                                      .source = from,
                                      .weight = weight,
                                      .bias = bias,
                                      .target = to,
                                      .weight_class = p.channels() * p.weight_pitch,
                                      .weight_pitch = p.weight_pitch,
                                      .bias_stride = bias_stride,
                                      .pixel_tiles = tiles,
                                      .channel_tiles = p.config.tiles_n};
               if constexpr (sizeof(T) == 2) {
                 if (p.config.algorithm == ConvConfig::mma) {
                   return conv_mma<T>(gemm, p.config, stream);
                 }
               }
               conv_implicit_gemm<T>(gemm, p.config, stream);
             });
}

// Forward and gradient by the input.
void run(const Plan& p, const Array* bias, const ConvWorkspace& workspace, Stream stream) {
  const bool forward = p.problem.pass == ConvPass::forward;
  const Array& source = forward ? p.arrays.input : p.arrays.output;
  const Array& target = forward ? p.arrays.output : p.arrays.input;
  if (target.count() == 0) return;
  with_floating_type("input", source, [&](auto zero) {
    using T = decltype(zero);
    const T* added = bias ? bias->as<const T>() : nullptr;
    const std::int64_t bias_stride = bias ? bias->strides[0] : 0;
    if (p.config.algorithm == ConvConfig::depthwise) {
      run_depthwise<T>(p, source.as<const T>(), added, bias_stride, target.as<T>(), stream);
    } else {
      run_gemm<T>(p, source.as<const T>(), packed_weight<T>(p, workspace, stream), added,
                  bias_stride, target.as<T>(), stream);
    }
  });
}

template <class T, class Sum>
void sum_pixels(const ConvWeightGrad<T, Sum>& problem, const ConvConfig& config, Stream stream) {
  if (config.algorithm == ConvConfig::depthwise) {
    return conv_depthwise_weight_grad<T, Sum>(problem, stream);
  }
  if constexpr (sizeof(T) == 2) {
    if (config.algorithm == ConvConfig::mma) {
      return conv_weight_grad_mma<T>(problem, config, stream);
    }
  }
  conv_weight_grad_gemm<T, Sum>(problem, config, stream);
}

}  // namespace

std::string conv_plan(ConvPass pass, const Array& first, const Array& second, const Array& result,
                      const ConvGeometry& geometry) {
  const Plan p = plan(pass, first, second, result, geometry);
  return concat(p.config.spell(), p.packs_weight ? ", packed weight, " : ", ", p.workspace_bytes,
                " bytes of workspace");
}

void conv_forward(const Array& input, const Array& weight, const Array* bias, const Array& output,
                  const ConvWorkspace& workspace, const ConvGeometry& geometry, Stream stream) {
  const Plan p = plan(ConvPass::forward, input, weight, output, geometry);
  if (bias) {
    check_shape("bias", *bias, {weight.shape[0]});
    check_dtype("bias", *bias, input.dtype);
  }
  run(p, bias, workspace, stream);
}

void conv_input_grad(const Array& g, const Array& weight, const Array& input_grad,
                     const ConvWorkspace& workspace, const ConvGeometry& geometry, Stream stream) {
  run(plan(ConvPass::input_grad, g, weight, input_grad, geometry), nullptr, workspace, stream);
}

void conv_weight_grad(const Array& g, const Array& input, const Array& weight_grad,
                      const ConvWorkspace& workspace, const ConvGeometry& geometry, Stream stream) {
  const Plan p = plan(ConvPass::weight_grad, g, input, weight_grad, geometry);
  if (weight_grad.count() == 0) return;
  constexpr std::int64_t most_pixels = 1 << 30;
  MINIDL_CHECK_AS(NotSupported, p.problem.pixels <= most_pixels, "conv: ", p.problem.pixels,
                  " pixels in one gradient are beyond the limit of ", most_pixels);
  void* partial = memory(workspace, p.workspace_bytes);
  with_floating_type("g", g, [&](auto zero) {
    using T = decltype(zero);
    using Sum = accumulator_t<T>;
    const std::int64_t parts = p.config.parts;
    const bool depthwise = p.config.algorithm == ConvConfig::depthwise;
    sum_pixels<T, Sum>({.layout = p.layout,
                        .g = g.as<const T>(),
                        .source = input.as<const T>(),
                        .partial = static_cast<Sum*>(partial),
                        .terms = static_cast<int>(p.problem.terms),
                        .pixels_per_part = static_cast<int>((p.problem.pixels + parts - 1) / parts),
                        .lanes = p.config.lanes,
                        .channel_tiles = depthwise ? p.config.tiles_n : p.config.tiles_m,
                        .term_tiles = depthwise ? p.config.tiles_m : p.config.tiles_n,
                        .parts = parts},
                       p.config, stream);
    conv_sum_parts<T, Sum>({.layout = p.layout,
                            .partial = static_cast<const Sum*>(partial),
                            .weight_grad = weight_grad.as<T>(),
                            .strides = conv_strides(p.arrays.weight),
                            .terms = static_cast<int>(p.problem.terms),
                            .elements = p.channels() * p.problem.terms,
                            .parts = parts},
                           stream);
  });
}

}  // namespace minidl::cuda
