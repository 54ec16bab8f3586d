// Convolution and pooling kernels against plain loops in double, over strides, padding, dilation,
// groups, layouts.
#include "arrays.h"
#include "cuda/conv2d.h"
#include "cuda/max_pool2d.h"

using namespace minidl;
using namespace minidl::testing;

namespace {

struct ConvCase {
  std::int64_t n, c, k, h, w, r, s, groups;
  std::array<std::int64_t, 2> stride, padding, dilation;
  bool channels_last = false;
};

const ConvCase conv_cases[] = {
    {2, 3, 5, 7, 9, 3, 2, 1, {1, 1}, {0, 0}, {1, 1}},
    {1, 4, 6, 8, 5, 3, 3, 2, {2, 3}, {1, 2}, {1, 1}, true},
    {3, 6, 6, 6, 7, 2, 3, 6, {1, 2}, {2, 1}, {2, 1}},     // depthwise
    {1, 33, 3, 12, 12, 5, 1, 1, {1, 1}, {4, 0}, {1, 3}},  // more than one chunk of taps
    {2, 1, 1, 1, 1, 3, 3, 1, {1, 1}, {1, 1}, {1, 1}, true},
    {0, 2, 3, 5, 5, 2, 2, 1, {1, 1}, {0, 0}, {1, 1}},
};

std::vector<int> layout(const ConvCase& p) {
  return p.channels_last ? std::vector<int>{0, 2, 3, 1} : std::vector<int>{};
}

// Calls visit(n, k, p, q, c, r, s, channel, y, x) for every product of the convolution.
template <class Visit>
void for_every_product(const ConvCase& t, std::int64_t rows, std::int64_t columns, Visit visit) {
  const std::int64_t in = t.c / t.groups, out = t.k / t.groups;
  for (std::int64_t i = 0; i < t.n * t.k * rows * columns * in * t.r * t.s; ++i) {
    const std::int64_t s = i % t.s, r = i / t.s % t.r, c = i / (t.s * t.r) % in;
    const std::int64_t rest = i / (t.s * t.r * in), q = rest % columns, p = rest / columns % rows;
    const std::int64_t k = rest / (columns * rows) % t.k, n = rest / (columns * rows * t.k);
    const std::int64_t y = p * t.stride[0] - t.padding[0] + r * t.dilation[0];
    const std::int64_t x = q * t.stride[1] - t.padding[1] + s * t.dilation[1];
    if (y < 0 || y >= t.h || x < 0 || x >= t.w) continue;
    visit(n, k, p, q, c, r, s, k / out * in + c, y, x);
  }
}

template <class T>
void check_conv(const ConvCase& t, std::mt19937& random) {
  const auto size = [&](int d, std::int64_t in, std::int64_t kernel) {
    return (in + 2 * t.padding[d] - t.dilation[d] * (kernel - 1) - 1) / t.stride[d] + 1;
  };
  const std::int64_t rows = size(0, t.h, t.r), columns = size(1, t.w, t.s);
  HostArray<T> input({t.n, t.c, t.h, t.w}, layout(t)),
      weight({t.k, t.c / t.groups, t.r, t.s}, layout(t)), bias({t.k});
  HostArray<T> output({t.n, t.k, rows, columns}, layout(t)),
      g({t.n, t.k, rows, columns}, layout(t));
  HostArray<T> input_grad({t.n, t.c, t.h, t.w}),
      weight_grad({t.k, t.c / t.groups, t.r, t.s}, layout(t));
  for (auto* array : {&input, &weight, &bias, &g}) array->randomize(random);
  HostArray<double> out_wanted(output.shape), input_wanted(input.shape),
      weight_wanted(weight.shape);
  for (auto* wanted : {&out_wanted, &input_wanted, &weight_wanted}) {
    std::fill(wanted->values.begin(), wanted->values.end(), 0.0);
  }
  for_every_product(
      t, rows, columns,
      [&](auto n, auto k, auto p, auto q, auto c, auto r, auto s, auto ch, auto y, auto x) {
        out_wanted.at(n, k, p, q) +=
            static_cast<double>(input.at(n, ch, y, x)) * weight.at(k, c, r, s);
        input_wanted.at(n, ch, y, x) +=
            static_cast<double>(g.at(n, k, p, q)) * weight.at(k, c, r, s);
        weight_wanted.at(k, c, r, s) +=
            static_cast<double>(g.at(n, k, p, q)) * input.at(n, ch, y, x);
      });
  const cuda::Conv2dGeometry geometry{t.stride, t.padding, t.dilation, t.groups};
  const cuda::Array bias_array = bias.array();
  cuda::conv2d_forward(input.array(), weight.array(), &bias_array, output.array(), geometry,
                       nullptr);
  cuda::conv2d_input_grad(g.array(), weight.array(), input_grad.array(), geometry, nullptr);
  cuda::conv2d_weight_grad(g.array(), input.array(), weight_grad.array(), geometry, nullptr);
  const double tolerance = sizeof(T) == 4 ? 1e-4 : 1e-12;
  for (std::int64_t i = 0; i < output.array().count(); ++i) {
    const std::int64_t q = i % columns, p = i / columns % rows, k = i / (columns * rows) % t.k,
                       n = i / (columns * rows * t.k);
    expect_close(output.at(n, k, p, q), out_wanted.at(n, k, p, q) + bias.at(k), tolerance,
                 "conv2d_forward");
  }
  for (std::size_t i = 0; i < input_wanted.values.size(); ++i) {
    expect_close(input_grad.values[i], input_wanted.values[i], tolerance, "conv2d_input_grad");
  }
  for (std::int64_t i = 0; i < weight_grad.array().count(); ++i) {
    const std::int64_t in = t.c / t.groups, s = i % t.s, r = i / t.s % t.r,
                       c = i / (t.s * t.r) % in, k = i / (t.s * t.r * in);
    expect_close(weight_grad.at(k, c, r, s), weight_wanted.at(k, c, r, s), tolerance,
                 "conv2d_weight_grad");
  }
}

}  // namespace

TEST(convolution_and_its_gradients) {
  std::mt19937 random(7);
  for (const ConvCase& geometry : conv_cases) {
    with_schedules([&] { check_conv<float>(geometry, random); });
    check_conv<double>(geometry, random);
  }
}

TEST(convolution_refuses_what_does_not_fit) {
  HostArray<float> input({1, 4, 5, 5}), weight({6, 4, 3, 3}), output({1, 6, 3, 3}),
      wrong({1, 6, 4, 3});
  const auto with = [&](const cuda::Array& out, const cuda::Conv2dGeometry& geometry) {
    return message_of([&] {
      cuda::conv2d_forward(input.array(), weight.array(), nullptr, out, geometry, nullptr);
    });
  };
  expect_mentions(with(wrong.array(), {{1, 1}, {0, 0}, {1, 1}, 1}), {"must be 3", "[1, 6, 4, 3]"});
  expect_mentions(with(output.array(), {{1, 1}, {0, 0}, {1, 1}, 4}), {"groups = 4"});
  expect_mentions(with(output.array(), {{0, 1}, {0, 0}, {1, 1}, 1}), {"stride 0"});
}

namespace {

struct PoolCase {
  std::int64_t n, c, h, w, rows, columns;
  cuda::PoolGeometry geometry;
  bool channels_last = false;
};

const PoolCase pool_cases[] = {
    {2, 3, 8, 8, 4, 4, {{2, 2}, {2, 2}, {0, 0}, {1, 1}}},
    {1, 2, 7, 9, 4, 5, {{3, 3}, {2, 2}, {1, 1}, {1, 1}}, true},
    {2, 1, 9, 8, 5, 2, {{2, 3}, {1, 3}, {0, 1}, {4, 2}}},
    {1, 1, 20, 20, 4, 4, {{17, 17}, {1, 1}, {0, 0}, {1, 1}}},  // int32 offsets
    {1, 2, 5, 5, 3, 3, {{2, 2}, {2, 2}, {0, 0}, {1, 1}}},      // the last window hangs over
};

template <class T, class Offset>
void check_pool(const PoolCase& t, std::mt19937& random) {
  const auto& [kernel, stride, padding, dilation] = t.geometry;
  const std::vector<int> order =
      t.channels_last ? std::vector<int>{0, 2, 3, 1} : std::vector<int>{};
  HostArray<T> input({t.n, t.c, t.h, t.w}, order), output({t.n, t.c, t.rows, t.columns}, order),
      g(output.shape);
  HostArray<T> input_grad(input.shape, order);
  HostArray<Offset> offsets(output.shape);
  input.randomize(random);
  g.randomize(random);
  HostArray<double> wanted(input.shape);
  std::fill(wanted.values.begin(), wanted.values.end(), 0.0);
  cuda::max_pool2d(input.array(), output.array(), offsets.array(), t.geometry, nullptr);
  cuda::max_pool2d_grad(g.array(), offsets.array(), input_grad.array(), t.geometry, nullptr);
  for (std::int64_t i = 0; i < output.array().count(); ++i) {
    const std::int64_t q = i % t.columns, p = i / t.columns % t.rows,
                       c = i / (t.columns * t.rows) % t.c, n = i / (t.columns * t.rows * t.c);
    T best = -INFINITY;
    std::int64_t winner = -1, win_y = 0, win_x = 0;
    for (std::int64_t tap = 0; tap < kernel[0] * kernel[1]; ++tap) {
      const std::int64_t y = p * stride[0] - padding[0] + tap / kernel[1] * dilation[0];
      const std::int64_t x = q * stride[1] - padding[1] + tap % kernel[1] * dilation[1];
      if (y < 0 || y >= t.h || x < 0 || x >= t.w || !(input.at(n, c, y, x) > best)) continue;
      best = input.at(n, c, y, x);
      winner = tap;
      win_y = y;
      win_x = x;
    }
    EXPECT(output.at(n, c, p, q) == best && offsets.at(n, c, p, q) == winner);
    wanted.at(n, c, win_y, win_x) += g.at(n, c, p, q);
  }
  for (std::int64_t i = 0; i < wanted.array().count(); ++i) {
    const std::int64_t x = i % t.w, y = i / t.w % t.h, c = i / (t.w * t.h) % t.c,
                       n = i / (t.w * t.h * t.c);
    expect_close(input_grad.at(n, c, y, x), wanted.at(n, c, y, x), 1e-5, "max_pool2d_grad");
  }
}

}  // namespace

TEST(max_pooling_and_its_gradient) {
  std::mt19937 random(8);
  for (const PoolCase& t : pool_cases) {
    with_schedules([&] {
      t.geometry.kernel[0] > 16 ? check_pool<float, std::int32_t>(t, random)
                                : check_pool<float, std::uint8_t>(t, random);
    });
  }
}

TEST(a_nan_wins_its_window) {
  HostArray<float> input({1, 1, 2, 4}), output({1, 1, 1, 2});
  HostArray<std::uint8_t> offsets({1, 1, 1, 2});
  input.values = {1, NAN, -INFINITY, -INFINITY, 3, 2, -INFINITY, -INFINITY};
  cuda::max_pool2d(input.array(), output.array(), offsets.array(), {{2, 2}, {2, 2}, {0, 0}, {1, 1}},
                   nullptr);
  EXPECT(std::isnan(output.values[0]) && offsets.values[0] == 1);
  EXPECT(output.values[1] == -INFINITY && offsets.values[1] == 0);
}

TEST(pooling_refuses_what_does_not_fit) {
  HostArray<float> input({1, 2, 6, 6}), output({1, 2, 3, 3});
  HostArray<std::int32_t> offsets({1, 2, 3, 3});
  expect_mentions(message_of([&] {
                    cuda::max_pool2d(input.array(), output.array(), offsets.array(),
                                     {{2, 2}, {2, 2}, {0, 0}, {1, 1}}, nullptr);
                  }),
                  {"offsets", "uint8", "int32"});
}
