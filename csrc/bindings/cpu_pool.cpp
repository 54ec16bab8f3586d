// Pooling of NumPy arrays; names and arguments are those of minidl/backends/reference/pool.py.
// Results have the memory format of what they come from.
#include "cpu/pool.h"

#include "bindings/image_format.h"
#include "bindings/registry.h"
#include "bindings/spatial.h"
#include "bindings/translate.h"

namespace minidl::bindings::pool {
namespace {

using minidl::cpu::Extent;
using minidl::cpu::MaxPoolProblem;
using minidl::cpu::MeanPoolProblem;
size_t spatial_rank(const Sizes& input) {
  MINIDL_CHECK(input.size() >= 3 && input.size() <= 5, "input ", text(input),
               " must have 1 to 3 spatial dimensions");
  return input.size() - 2;
}

// Everything but the output's extent.
MaxPoolProblem problem_of(const Sizes& input, Format format, const Sizes& kernel,
                          const Sizes& stride, const Sizes& padding, const Sizes& dilation) {
  const size_t rank = spatial_rank(input);
  const bool planes = format == Format::planes;
  MaxPoolProblem p{planes ? input[0] * input[1] : input[0],
                   planes ? 1 : input[1],
                   extent(input, rank, 1, 0, "input"),
                   extent(kernel, rank, 1, 1, "kernel_size"),
                   {},
                   extent(stride, rank, 1, 1, "stride"),
                   extent(padding, rank, 0, 0, "padding"),
                   extent(dilation, rank, 1, 1, "dilation")};
  for (int d = 0; d < 3; ++d) minidl::cpu::window_span(p.kernel[d], p.dilation[d]);  // refuses
  return p;
}

// As minidl/backends/geometry.py, pool_output: with ceil_mode a last window may hang over the end,
// not start there.
Extent output_extent(const MaxPoolProblem& p, bool ceil_mode) {
  Extent out;
  for (int d = 0; d < 3; ++d) {
    const int64_t span = minidl::cpu::window_span(p.kernel[d], p.dilation[d]);
    const int64_t room = p.size[d] + 2 * p.padding[d] - span;
    MINIDL_CHECK(room >= 0 || ceil_mode, "kernel is larger than the padded input");
    out[d] = (ceil_mode ? minidl::cpu::ceil_div(room, p.stride[d]) : room / p.stride[d]) + 1;
    if (ceil_mode && (out[d] - 1) * p.stride[d] >= p.size[d] + p.padding[d]) --out[d];
    MINIDL_CHECK(out[d] >= 0, "kernel is larger than the padded input");
  }
  return out;
}

// Whether an offset inside the window fits a byte; it must fit int32.
bool fits_byte(const MaxPoolProblem& p) {
  int64_t taps = 1;
  for (const int64_t size : p.kernel) {
    const bool overflow = __builtin_mul_overflow(taps, size, &taps);
    MINIDL_CHECK(!overflow && taps <= INT32_MAX, "a window of max_pool has at most 2^31 - 1 taps");
  }
  return taps <= 256;
}

template <class Body>
auto dispatch_offset(bool byte, Body&& body) {
  return byte ? body(Type<uint8_t>{}) : body(Type<int32_t>{});
}

py::object max_pool(const py::array& input, const Sizes& kernel_size, const Sizes& stride,
                    const Sizes& padding, const Sizes& dilation, bool ceil_mode) {
  const auto dtype = common_real({&input});
  if (!dtype) return not_implemented();
  const Sizes shape = shape_of(input);
  const Format format = format_of(input);
  MaxPoolProblem p = problem_of(shape, format, kernel_size, stride, padding, dilation);
  p.out = output_extent(p, ceil_mode);
  return minidl::dispatch_real(*dtype, [&]<class T>(Type<T>) {
    return dispatch_offset(fits_byte(p), [&]<class Offset>(Type<Offset>) -> py::object {
      const py::array x = in_format<T>(input, format);
      const Result<T> output(with_spatial(shape, p.out), format);
      const Result<Offset> offsets(with_spatial(shape, p.out), format);
      const T* from = static_cast<const T*>(x.data());
      {
        py::gil_scoped_release release;
        minidl::cpu::max_pool<T, Offset>(p, from, output.data, offsets.data);
      }
      return py::make_tuple(output.array, offsets.array);
    });
  });
}

// Whether `offsets` has the dtype that max_pool gives for this kernel.
bool matching_offsets(const MaxPoolProblem& p, const py::array& offsets) {
  return dtype_of(offsets) == (fits_byte(p) ? DType::uint8 : DType::int32);
}

py::object max_pool_grad(const py::array& g, const py::array& offsets, const Sizes& input_shape,
                         const Sizes& kernel_size, const Sizes& stride, const Sizes& padding,
                         const Sizes& dilation) {
  const auto dtype = common_real({&g});
  const Format format = format_of(offsets);
  MaxPoolProblem p = problem_of(input_shape, format, kernel_size, stride, padding, dilation);
  if (!dtype || !matching_offsets(p, offsets)) return not_implemented();
  check_shape(offsets, shape_of(g), "offsets");
  p.out = extent(shape_of(g), spatial_rank(input_shape), 1, 0, "the output's gradient");
  check_shape(g, with_spatial(input_shape, p.out), "the output's gradient");
  return minidl::dispatch_real(*dtype, [&]<class T>(Type<T>) {
    return dispatch_offset(fits_byte(p), [&]<class Offset>(Type<Offset>) -> py::object {
      const py::array grad = in_format<T>(g, format), won = in_format<Offset>(offsets, format);
      const Result<T> result(input_shape, format);
      const T* from = static_cast<const T*>(grad.data());
      const Offset* taps = static_cast<const Offset*>(won.data());
      {
        py::gil_scoped_release release;
        minidl::cpu::max_pool_grad<T, Offset>(p, from, taps, result.data);
      }
      return result.array;
    });
  });
}

py::object max_pool_gather(const py::array& input, const py::array& offsets,
                           const Sizes& kernel_size, const Sizes& stride, const Sizes& padding,
                           const Sizes& dilation) {
  const auto dtype = common_real({&input});
  const Sizes shape = shape_of(input);
  MaxPoolProblem p = problem_of(shape, Format::planes, kernel_size, stride, padding, dilation);
  if (!dtype || !matching_offsets(p, offsets)) return not_implemented();
  p.out = extent(shape_of(offsets), spatial_rank(shape), 1, 0, "offsets");
  check_shape(offsets, with_spatial(shape, p.out), "offsets");
  return minidl::dispatch_real(*dtype, [&]<class T>(Type<T>) {
    return dispatch_offset(fits_byte(p), [&]<class Offset>(Type<Offset>) -> py::object {
      const py::array x = in_format<T>(input, Format::planes);
      const py::array won = in_format<Offset>(offsets, Format::planes);
      const Result<T> result(shape_of(offsets), Format::planes);
      const T* from = static_cast<const T*>(x.data());
      const Offset* taps = static_cast<const Offset*>(won.data());
      {
        py::gil_scoped_release release;
        minidl::cpu::max_pool_gather<T, Offset>(p, from, taps, result.data);
      }
      return result.array;
    });
  });
}

py::object max_pool_indices(const py::array& offsets, const Sizes& input_shape,
                            const Sizes& kernel_size, const Sizes& stride, const Sizes& padding,
                            const Sizes& dilation) {
  const Format format = format_of(offsets);
  MaxPoolProblem p = problem_of(input_shape, format, kernel_size, stride, padding, dilation);
  if (!matching_offsets(p, offsets)) return not_implemented();
  p.out = extent(shape_of(offsets), spatial_rank(input_shape), 1, 0, "offsets");
  check_shape(offsets, with_spatial(input_shape, p.out), "offsets");
  return dispatch_offset(fits_byte(p), [&]<class Offset>(Type<Offset>) -> py::object {
    const py::array won = in_format<Offset>(offsets, format);
    const Result<int64_t> result(shape_of(offsets), format);
    const Offset* taps = static_cast<const Offset*>(won.data());
    {
      py::gil_scoped_release release;
      minidl::cpu::max_pool_indices<Offset>(p, taps, result.data);
    }
    return result.array;
  });
}

template <bool gradient>
py::object run_mean(MeanPoolProblem p, const py::array& from, const Sizes& result_shape) {
  const Format format = format_of(from);
  return minidl::dispatch_real(*common_real({&from}), [&]<class T>(Type<T>) -> py::object {
    const py::array source = in_format<T>(from, format);
    const Result<T> result(result_shape, format);
    const T* data = static_cast<const T*>(source.data());
    p.outer = format == Format::planes ? result_shape[0] * result_shape[1] : result_shape[0];
    p.inner = format == Format::planes ? 1 : result_shape[1];
    {
      py::gil_scoped_release release;
      if constexpr (gradient) {
        minidl::cpu::cover_bins(p);
        minidl::cpu::mean_pool_kernels<T>(p).backward(p, data, result.data);
      } else {
        minidl::cpu::mean_pool_kernels<T>(p).forward(p, data, result.data);
      }
    }
    return result.array;
  });
}

MeanPoolProblem window_problem(const MaxPoolProblem& p, bool count_include_pad,
                               const std::optional<int64_t>& divisor_override) {
  MINIDL_CHECK(divisor_override != 0, "divisor must be not zero");
  MeanPoolProblem mean{};
  mean.size = p.size;
  mean.out = p.out;
  for (int d = 0; d < 3; ++d) {
    mean.bins[d] = minidl::cpu::window_bins(p.size[d], p.out[d], p.kernel[d], p.stride[d],
                                            p.padding[d], count_include_pad);
  }
  mean.divisor = divisor_override.value_or(0);
  mean.kernel = p.kernel;
  mean.stride = p.stride;
  mean.padding = p.padding;
  return mean;
}

MaxPoolProblem undilated(const Sizes& input, const Sizes& kernel, const Sizes& stride,
                         const Sizes& padding) {
  return problem_of(input, Format::planes, kernel, stride, padding, Sizes(kernel.size(), 1));
}

py::object avg_pool(const py::array& input, const Sizes& kernel_size, const Sizes& stride,
                    const Sizes& padding, bool ceil_mode, bool count_include_pad,
                    const std::optional<int64_t>& divisor_override) {
  if (!common_real({&input})) return not_implemented();
  const Sizes shape = shape_of(input);
  MaxPoolProblem p = undilated(shape, kernel_size, stride, padding);
  p.out = output_extent(p, ceil_mode);
  return run_mean<false>(window_problem(p, count_include_pad, divisor_override), input,
                         with_spatial(shape, p.out));
}

py::object avg_pool_grad(const py::array& g, const Sizes& input_shape, const Sizes& kernel_size,
                         const Sizes& stride, const Sizes& padding, bool count_include_pad,
                         const std::optional<int64_t>& divisor_override) {
  if (!common_real({&g})) return not_implemented();
  MaxPoolProblem p = undilated(input_shape, kernel_size, stride, padding);
  p.out = extent(shape_of(g), spatial_rank(input_shape), 1, 0, "the output's gradient");
  check_shape(g, with_spatial(input_shape, p.out), "the output's gradient");
  return run_mean<true>(window_problem(p, count_include_pad, divisor_override), g, input_shape);
}

MeanPoolProblem adaptive_problem(const Sizes& input, const Sizes& out) {
  const size_t rank = spatial_rank(input);
  MeanPoolProblem p{};
  p.size = extent(input, rank, 1, 0, "input");
  p.out = extent(out, rank, 1, 0, "output_size");
  bool regular = true;
  for (int d = 0; d < 3; ++d) {
    p.bins[d] = minidl::cpu::adaptive_bins(p.size[d], p.out[d]);
    regular = regular && p.out[d] > 0 && p.size[d] % p.out[d] == 0;
    p.kernel[d] = p.stride[d] = regular ? p.size[d] / p.out[d] : 0;
  }
  if (!regular) p.stride = {};
  return p;
}

py::object adaptive_avg_pool(const py::array& input, const Sizes& output_size) {
  if (!common_real({&input})) return not_implemented();
  const MeanPoolProblem p = adaptive_problem(shape_of(input), output_size);
  return run_mean<false>(p, input, with_spatial(shape_of(input), p.out));
}

py::object adaptive_avg_pool_grad(const py::array& g, const Sizes& input_shape) {
  if (!common_real({&g})) return not_implemented();
  const MeanPoolProblem p = adaptive_problem(input_shape, shape_of(g));
  check_shape(g, with_spatial(input_shape, p.out), "the output's gradient");
  return run_mean<true>(p, g, input_shape);
}

py::object adaptive_max_pool(const py::array& input, const Sizes& output_size) {
  const auto dtype = common_real({&input});
  if (!dtype) return not_implemented();
  const MeanPoolProblem bins = adaptive_problem(shape_of(input), output_size);
  const Sizes shape = with_spatial(shape_of(input), bins.out);
  MINIDL_CHECK(minidl::cpu::product(bins.size) > 0 || minidl::cpu::product(bins.out) == 0,
               "the input ", text(shape_of(input)), " has no elements to choose from");
  return minidl::dispatch_real(*dtype, [&]<class T>(Type<T>) -> py::object {
    const py::array x = in_format<T>(input, Format::planes);
    const Result<T> output(shape, Format::planes);
    const Result<int64_t> indices(shape, Format::planes);
    const T* from = static_cast<const T*>(x.data());
    {
      py::gil_scoped_release release;
      minidl::cpu::adaptive_max_pool<T>({shape[0] * shape[1], bins.size, bins.out, bins.bins}, from,
                                        output.data, indices.data);
    }
    return py::make_tuple(output.array, indices.array);
  });
}

}  // namespace

MINIDL_REGISTER(pool) {
  if (_import_array() < 0) throw py::error_already_set();
  using py::arg;
  m.def("max_pool", &max_pool, arg("input"), arg("kernel_size"), arg("stride"), arg("padding"),
        arg("dilation"), arg("ceil_mode"));
  m.def("max_pool_grad", &max_pool_grad, arg("g"), arg("offsets"), arg("input_shape"),
        arg("kernel_size"), arg("stride"), arg("padding"), arg("dilation"));
  m.def("max_pool_gather", &max_pool_gather, arg("input"), arg("offsets"), arg("kernel_size"),
        arg("stride"), arg("padding"), arg("dilation"));
  m.def("max_pool_indices", &max_pool_indices, arg("offsets"), arg("input_shape"),
        arg("kernel_size"), arg("stride"), arg("padding"), arg("dilation"));
  m.def("avg_pool", &avg_pool, arg("input"), arg("kernel_size"), arg("stride"), arg("padding"),
        arg("ceil_mode"), arg("count_include_pad"), arg("divisor_override").none(true));
  m.def("avg_pool_grad", &avg_pool_grad, arg("g"), arg("input_shape"), arg("kernel_size"),
        arg("stride"), arg("padding"), arg("count_include_pad"),
        arg("divisor_override").none(true));
  m.def("adaptive_avg_pool", &adaptive_avg_pool, arg("input"), arg("output_size"));
  m.def("adaptive_max_pool", &adaptive_max_pool, arg("input"), arg("output_size"));
  m.def("adaptive_avg_pool_grad", &adaptive_avg_pool_grad, arg("g"), arg("input_shape"));
}

}  // namespace minidl::bindings::pool
