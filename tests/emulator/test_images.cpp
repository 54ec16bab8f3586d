// Pooling kernels against plain loops in double, over strides, padding, dilation,
// groups, layouts.
#include "arrays.h"
#include "cuda/max_pool2d.h"

using namespace minidl;
using namespace minidl::testing;

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
