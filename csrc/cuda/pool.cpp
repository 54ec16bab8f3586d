#include "cuda/pool.h"

#include <algorithm>

#include "cuda/images.h"
#include "cuda/pool_layout.h"
#include "cuda/pool_select.h"

namespace minidl::cuda {
namespace {

void check_images(const char* name, const Array& array, const Array& like) {
  MINIDL_CHECK(array.rank() == like.rank() && array.shape[0] == like.shape[0] &&
                   array.shape[1] == like.shape[1],
               "pooling: ", name, " ", spell(array.shape), " does not fit ", spell(like.shape));
}

// As many windows as begin inside the padded input and, but for the last, end there.
void check_windows(std::int64_t windows, std::int64_t size, std::int64_t kernel,
                   std::int64_t stride, std::int64_t padding, std::int64_t dilation) {
  const std::int64_t room = size + 2 * padding - dilation * (kernel - 1) - 1;
  const std::int64_t whole = room < 0 ? 0 : room / stride + 1;
  const bool one_more = windows == whole + 1 && whole * stride < size + padding;
  MINIDL_CHECK(windows == whole || one_more, "pooling: ", windows, " windows of ", kernel,
               " with stride ", stride, ", padding ", padding, " and dilation ", dilation,
               " do not fit an input of ", size, "; wanted are ", whole);
}

// Everything but the order and the strides.
MaxPoolLayout max_layout(const std::vector<std::int64_t>& size, const Array& windows,
                         const PoolGeometry& g) {
  const int dimensions = windows.rank() - 2;
  MaxPoolLayout p{};
  p.out = size_of_volume(with_three_dimensions("output", windows));
  p.size = pool_sizes("the input's size", size, dimensions, 1);
  p.kernel = pool_sizes("kernel_size", g.kernel, dimensions, 1);
  p.stride = pool_sizes("stride", g.stride, dimensions, 1);
  p.padding = pool_sizes("padding", g.padding, dimensions, 0);
  p.dilation = pool_sizes("dilation", g.dilation, dimensions, 1);
  std::int64_t taps = 1, pixels = 1;
  for (int d = 0; d < 3; ++d) {
    const std::int64_t kernel = p.kernel.at[d], stride = p.stride.at[d], padding = p.padding.at[d],
                       dilation = p.dilation.at[d];
    MINIDL_CHECK(kernel > 0 && stride > 0 && dilation > 0 && padding >= 0, "pooling: kernel_size ",
                 kernel, ", stride ", stride, " and dilation ", dilation,
                 " must be positive and padding ", padding, " not negative");
    image_coordinate("the padded input", p.size.at[d] + 2 * padding);
    image_coordinate("the reach of the last window",
                     (p.out.at[d] + std::int64_t{1}) * stride + dilation * kernel);
    check_windows(p.out.at[d], p.size.at[d], kernel, stride, padding, dilation);
    taps = image_coordinate("the number of taps of a window", taps * kernel);
    pixels = image_coordinate("the number of pixels of an image", pixels * p.size.at[d]);
  }
  return p;
}

void check_offsets(const Array& offsets, const MaxPoolLayout& p) {
  const std::int64_t taps = std::int64_t{p.kernel.at[0]} * p.kernel.at[1] * p.kernel.at[2];
  check_dtype("offsets", offsets, taps <= 256 ? DType::uint8 : DType::int32);
}

std::vector<std::int64_t> spatial(const Array& array) {
  return {array.shape.begin() + std::min(2, array.rank()), array.shape.end()};
}

// The arrays of a maximum: `input` [N, C, *size] and `windows` [N, C, *out] share a dtype.
MaxPoolLayout max_layout(const Array& input, const Array& windows, const Array& offsets,
                         const PoolGeometry& geometry) {
  const Array images = with_three_dimensions("input", input);
  check_images("output", windows, input);
  check_dtype("output", windows, input.dtype);
  check_shape("offsets", offsets, windows.shape);
  MaxPoolLayout p = max_layout(spatial(input), windows, geometry);
  check_offsets(offsets, p);
  p.input_strides = pool_strides(images);
  p.output_strides = pool_strides(with_three_dimensions("output", windows));
  p.offset_strides = pool_strides(with_three_dimensions("offsets", offsets));
  return p;
}

// Calls fn(T{}, Offset{}).
template <class Function>
void with_types(const Array& array, const Array& offsets, Function&& fn) {
  with_floating_type("input", array, [&](auto zero) {
    offsets.dtype == DType::uint8 ? fn(zero, std::uint8_t{}) : fn(zero, std::int32_t{});
  });
}

PoolOrder order_of(const Array& array) { return pool_order(with_three_dimensions("array", array)); }

// In packs of channels, where the other arrays of the kernel can be read so too.
PoolOrder packed_order_of(const Array& array, std::initializer_list<const Array*> others) {
  const Array images = with_three_dimensions("array", array);
  int pack = pool_pack(images, images.dtype);
  for (const Array* other : others)
    pack = std::min(pack, pool_pack(with_three_dimensions("array", *other), images.dtype));
  return pool_order(images, pack);
}

void set_axis(WindowAxis& axis, const MaxPoolLayout& p, int d, bool include_pad) {
  axis = {p.size.at[d],
          p.out.at[d],
          p.kernel.at[d],
          p.stride.at[d],
          p.padding.at[d],
          include_pad,
          pool_divider(p.stride.at[d])};
}

// Calls fn(MeanLayout, taps) with the axes that the geometry means.
template <class Function>
void with_mean_layout(const Array& input, const Array& output, const MeanGeometry& geometry,
                      Function&& fn) {
  const Array images = with_three_dimensions("input", input);
  check_images("output", output, input);
  check_dtype("output", output, input.dtype);
  const Array windows = with_three_dimensions("output", output);
  const auto finish = [&](auto layout, std::int64_t taps) {
    layout.divisor = static_cast<double>(geometry.divisor.value_or(0));
    layout.input_strides = pool_strides(images);
    layout.output_strides = pool_strides(windows);
    fn(layout, taps);
  };
  std::int64_t taps = 1;
  if (geometry.windows.kernel.empty()) {
    MeanLayout<BinAxis> layout{};
    const Size3 size = size_of_volume(images), out = size_of_volume(windows);
    std::int64_t pixels = 1;
    for (int d = 0; d < 3; ++d) {
      const std::int64_t n = size.at[d], m = out.at[d];
      MINIDL_CHECK_AS(NotSupported, (n + 1) * (m + 1) < std::int64_t{1} << 31, "pooling: ", m,
                      " bins of ", n, " elements are beyond the limit on a GPU");
      layout.axis[d] = {size.at[d], out.at[d], pool_divider(n), pool_divider(m)};
      taps *= size.at[d] / std::max(out.at[d], 1) + 1;
      pixels = image_coordinate("the number of pixels of an image", pixels * size.at[d]);
    }
    return finish(layout, taps);
  }
  PoolGeometry plain = geometry.windows;
  plain.dilation.assign(plain.kernel.size(), 1);
  MINIDL_CHECK(geometry.divisor != 0, "pooling: divisor must be not zero");
  const MaxPoolLayout p = max_layout(spatial(input), output, plain);
  MeanLayout<WindowAxis> layout{};
  for (int d = 0; d < 3; ++d) {
    set_axis(layout.axis[d], p, d, geometry.count_include_pad);
    taps *= p.kernel.at[d];
  }
  finish(layout, taps);
}

}  // namespace

void max_pool(const Array& input, const Array& output, const Array& offsets,
              const PoolGeometry& geometry, Stream stream) {
  MaxPoolLayout p = max_layout(input, output, offsets, geometry);
  p.order = packed_order_of(output, {&input, &offsets});
  with_types(input, offsets, [&]<class T, class Offset>(T, Offset) {
    pool_max<T, Offset>({p, input.as<const T>(), output.as<T>(), offsets.as<Offset>()}, stream);
  });
}

void max_pool_grad(const Array& g, const Array& offsets, const Array& input_grad,
                   const PoolGeometry& geometry, Stream stream) {
  MaxPoolLayout p = max_layout(input_grad, g, offsets, geometry);
  p.order = packed_order_of(input_grad, {&g, &offsets});
  with_types(g, offsets, [&]<class T, class Offset>(T, Offset) {
    pool_max_gather<T, Offset>({p, g.as<const T>(), offsets.as<const Offset>(), input_grad.as<T>()},
                               stream);
  });
}

void max_pool_gather(const Array& input, const Array& offsets, const Array& output,
                     const PoolGeometry& geometry, Stream stream) {
  MaxPoolLayout p = max_layout(input, output, offsets, geometry);
  p.order = order_of(output);
  with_types(input, offsets, [&]<class T, class Offset>(T, Offset) {
    pool_max_pick<T, Offset>({p, input.as<const T>(), offsets.as<const Offset>(), output.as<T>()},
                             stream);
  });
}

void max_pool_indices(const Array& offsets, const Array& indices,
                      const std::vector<std::int64_t>& size, const PoolGeometry& geometry,
                      Stream stream) {
  const Array windows = with_three_dimensions("offsets", offsets);
  check_shape("indices", indices, offsets.shape);
  check_dtype("indices", indices, DType::int64);
  MaxPoolLayout p = max_layout(size, offsets, geometry);
  check_offsets(offsets, p);
  p.order = order_of(offsets);
  p.offset_strides = pool_strides(windows);
  p.output_strides = pool_strides(with_three_dimensions("indices", indices));
  const auto run = [&]<class Offset>(Offset) {
    pool_max_indices<Offset>({p, offsets.as<const Offset>(), indices.as<std::int64_t>()}, stream);
  };
  offsets.dtype == DType::uint8 ? run(std::uint8_t{}) : run(std::int32_t{});
}

void mean_pool(const Array& input, const Array& output, const MeanGeometry& geometry,
               Stream stream) {
  with_mean_layout(input, output, geometry, [&]<class Axis>(MeanLayout<Axis> p, std::int64_t taps) {
    const PoolMeanConfig config =
        select_pool_mean({taps, neighbouring_channels(with_three_dimensions("input", input))});
    const bool packs = has_packs<Axis> && config.algorithm == PoolMeanConfig::thread;
    p.order = packs ? packed_order_of(output, {&input}) : order_of(output);
    with_floating_type("input", input, [&]<class T>(T) {
      const MeanPool<T, Axis> problem{p, input.as<const T>(), output.as<T>()};
      config.algorithm == PoolMeanConfig::block ? pool_mean_wide(problem, stream)
                                                : pool_mean(problem, stream);
    });
  });
}

void mean_pool_grad(const Array& g, const Array& input_grad, const MeanGeometry& geometry,
                    Stream stream) {
  with_mean_layout(input_grad, g, geometry, [&]<class Axis>(MeanLayout<Axis> p, std::int64_t) {
    p.order = has_packs<Axis> ? packed_order_of(input_grad, {&g}) : order_of(input_grad);
    with_floating_type("g", g, [&]<class T>(T) {
      pool_mean_gather<T, Axis>({p, g.as<const T>(), input_grad.as<T>()}, stream);
    });
  });
}

void bin_maximum(const Array& input, const Array& output, const Array& indices, Stream stream) {
  check_shape("indices", indices, output.shape);
  check_dtype("indices", indices, DType::int64);
  with_mean_layout(input, output, {}, [&]<class Axis>(MeanLayout<Axis> p, std::int64_t) {
    if constexpr (std::is_same_v<Axis, BinAxis>) {
      MINIDL_CHECK(input.count() > 0 || output.count() == 0, "pooling: the input ",
                   spell(input.shape), " has no elements to choose from");
      p.order = order_of(output);
      with_floating_type("input", input, [&]<class T>(T) {
        pool_bin_max<T>({p, input.as<const T>(), output.as<T>(), indices.as<std::int64_t>(),
                         pool_strides(with_three_dimensions("indices", indices))},
                        stream);
      });
    }
  });
}

}  // namespace minidl::cuda
