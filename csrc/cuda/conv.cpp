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
               .capability = capability};
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

void* checked_workspace(const Array* workspace, std::int64_t bytes) {
  if (bytes == 0) return nullptr;
  MINIDL_CHECK(workspace && workspace->dtype == DType::uint8 && workspace->count() >= bytes &&
                   reinterpret_cast<std::uintptr_t>(workspace->data) % 16 == 0,
               "conv wants a workspace of ", bytes, " aligned bytes, got ",
               workspace ? workspace->count() : 0);
  return workspace->data;
}

// The weight as the kernels read it: itself, or a copy in the workspace.
template <class T>
const T* packed_weight(const Plan& p, const Array* workspace, Stream stream) {
  if (!p.packs_weight) return p.arrays.weight.as<const T>();
  T* packed = static_cast<T*>(checked_workspace(workspace, p.workspace_bytes));
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

// Forward and gradient by the input. Kernels count pixels in 32 bits, so a huge batch takes several
// launches.
template <class T>
void run_gemm(const Plan& p, const Array* bias, const Array* workspace, Stream stream) {
  const bool forward = p.problem.pass == ConvPass::forward;
  const Array& source = forward ? p.arrays.input : p.arrays.output;
  const Array& target = forward ? p.arrays.output : p.arrays.input;
  ConvGemm<T> gemm{.layout = p.layout,
                   .source = source.as<const T>(),
                   .weight = packed_weight<T>(p, workspace, stream),
                   .bias = bias ? bias->as<const T>() : nullptr,
                   .target = target.as<T>(),
                   .weight_class = p.channels() * p.weight_pitch,
                   .weight_pitch = p.weight_pitch,
                   .bias_stride = bias ? bias->strides[0] : 0,
                   .pixel_tiles = p.config.tiles_m,
                   .channel_tiles = p.config.tiles_n};
  constexpr std::int64_t most_pixels = 1 << 30;
  const std::int64_t of_image = conv_pixels_of_image(p.layout), images = p.layout.images;
  MINIDL_CHECK_AS(NotSupported, of_image <= most_pixels, "conv: an image of ", of_image,
                  " pixels is beyond the limit of ", most_pixels);
  const std::int64_t images_of_launch = std::min(images, most_pixels / of_image);
  for (std::int64_t first = 0; first < images; first += images_of_launch) {
    gemm.layout.images = static_cast<int>(std::min(images_of_launch, images - first));
    gemm.pixel_tiles = (gemm.layout.images * of_image + p.config.tile_m - 1) / p.config.tile_m;
    if constexpr (sizeof(T) == 2) {
      p.config.algorithm == ConvConfig::mma ? conv_mma<T>(gemm, p.config, stream)
                                            : conv_implicit_gemm<T>(gemm, p.config, stream);
    } else {
      conv_implicit_gemm<T>(gemm, p.config, stream);
    }
    gemm.source += images_of_launch * p.layout.source.image;
    gemm.target += images_of_launch * p.layout.target.image;
  }
}

}  // namespace

std::int64_t conv_workspace(ConvPass pass, const Array& first, const Array& second,
                            const Array& result, const ConvGeometry& geometry) {
  return result.count() == 0 ? 0 : plan(pass, first, second, result, geometry).workspace_bytes;
}

std::string conv_plan(ConvPass pass, const Array& first, const Array& second, const Array& result,
                      const ConvGeometry& geometry) {
  const Plan p = plan(pass, first, second, result, geometry);
  return concat(p.config.spell(), p.packs_weight ? ", packed weight, " : ", ", p.workspace_bytes,
                " bytes of workspace");
}

void conv_forward(const Array& input, const Array& weight, const Array* bias, const Array& output,
                  const Array* workspace, const ConvGeometry& geometry, Stream stream) {
  const Plan p = plan(ConvPass::forward, input, weight, output, geometry);
  if (bias) {
    check_shape("bias", *bias, {weight.shape[0]});
    check_dtype("bias", *bias, input.dtype);
  }
  if (output.count() == 0) return;
  with_floating_type("input", input,
                     [&](auto zero) { run_gemm<decltype(zero)>(p, bias, workspace, stream); });
}

void conv_input_grad(const Array& g, const Array& weight, const Array& input_grad,
                     const Array* workspace, const ConvGeometry& geometry, Stream stream) {
  const Plan p = plan(ConvPass::input_grad, g, weight, input_grad, geometry);
  if (input_grad.count() == 0) return;
  with_floating_type("g", g,
                     [&](auto zero) { run_gemm<decltype(zero)>(p, nullptr, workspace, stream); });
}

void conv_weight_grad(const Array& g, const Array& input, const Array& weight_grad,
                      const Array* workspace, const ConvGeometry& geometry, Stream stream) {
  const Plan p = plan(ConvPass::weight_grad, g, input, weight_grad, geometry);
  if (weight_grad.count() == 0) return;
  constexpr std::int64_t most_pixels = 1 << 30;
  MINIDL_CHECK_AS(NotSupported, p.problem.pixels <= most_pixels, "conv: ", p.problem.pixels,
                  " pixels in one gradient are beyond the limit of ", most_pixels);
  void* partial = checked_workspace(workspace, p.workspace_bytes);
  with_floating_type("g", g, [&](auto zero) {
    using T = decltype(zero);
    using Sum = accumulator_t<T>;
    const std::int64_t parts = p.config.parts;
    const ConvWeightGrad<T, Sum> problem{
        .layout = p.layout,
        .g = g.as<const T>(),
        .source = input.as<const T>(),
        .partial = static_cast<Sum*>(partial),
        .terms = static_cast<int>(p.problem.terms),
        .pixels_per_part = static_cast<int>((p.problem.pixels + parts - 1) / parts),
        .channel_tiles = p.config.tiles_m,
        .term_tiles = p.config.tiles_n,
        .parts = parts};
    if constexpr (sizeof(T) == 2) {
      p.config.algorithm == ConvConfig::mma
          ? conv_weight_grad_mma<T>(problem, p.config, stream)
          : conv_weight_grad_gemm<T, Sum>(problem, p.config, stream);
    } else {
      conv_weight_grad_gemm<T, Sum>(problem, p.config, stream);
    }
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
