// Pooling kernels against plain loops in double: strides, padding, dilation, layouts, three
// dimensions, bins.
#include "arrays.h"
#include "cuda/pool.h"
#include "cuda/pool_layout.h"
#include "cuda/pool_select.h"

using namespace minidl;
using namespace minidl::testing;

namespace {

struct PoolCase {
  std::int64_t n, c, h, w, rows, columns;
  cuda::PoolGeometry geometry;
  bool channels_last = false, packs = false;  // packs: all arrays are channels-last
};

const PoolCase pool_cases[] = {
    {2, 3, 8, 8, 4, 4, {{2, 2}, {2, 2}, {0, 0}, {1, 1}}},
    {1, 2, 7, 9, 4, 5, {{3, 3}, {2, 2}, {1, 1}, {1, 1}}, true},
    {2, 1, 9, 8, 5, 2, {{2, 3}, {1, 3}, {0, 1}, {4, 2}}},
    {1, 1, 20, 20, 4, 4, {{17, 17}, {1, 1}, {0, 0}, {1, 1}}},          // int32 offsets
    {1, 2, 5, 5, 3, 3, {{2, 2}, {2, 2}, {0, 0}, {1, 1}}},              // the last window hangs over
    {2, 8, 7, 6, 4, 3, {{3, 3}, {2, 2}, {1, 1}, {1, 1}}, true, true},  // two packs of floats a
                                                                       // pixel
    {1, 4, 6, 5, 5, 2, {{2, 2}, {1, 2}, {0, 0}, {1, 2}}, true, true},
};

template <class T, class Offset>
void check_pool(const PoolCase& t, std::mt19937& random) {
  const auto& [kernel, stride, padding, dilation] = t.geometry;
  const std::vector<int> order =
      t.channels_last ? std::vector<int>{0, 2, 3, 1} : std::vector<int>{};
  const std::vector<int> other = t.packs ? order : std::vector<int>{};
  HostArray<T> input({t.n, t.c, t.h, t.w}, order), output({t.n, t.c, t.rows, t.columns}, order),
      g(output.shape, other);
  HostArray<T> input_grad(input.shape, order);
  HostArray<Offset> offsets(output.shape, other);
  input.randomize(random);
  g.randomize(random);
  HostArray<double> wanted(input.shape);
  std::fill(wanted.values.begin(), wanted.values.end(), 0.0);
  cuda::max_pool(input.array(), output.array(), offsets.array(), t.geometry, nullptr);
  cuda::max_pool_grad(g.array(), offsets.array(), input_grad.array(), t.geometry, nullptr);
  HostArray<T> picked(output.shape);
  HostArray<std::int64_t> indices(output.shape, order);
  cuda::max_pool_gather(input.array(), offsets.array(), picked.array(), t.geometry, nullptr);
  cuda::max_pool_indices(offsets.array(), indices.array(), {t.h, t.w}, t.geometry, nullptr);
  for (std::int64_t i = 0; i < output.array().count(); ++i) {
    const std::int64_t q = i % t.columns, p = i / t.columns % t.rows,
                       c = i / (t.columns * t.rows) % t.c, n = i / (t.columns * t.rows * t.c);
    double best = -INFINITY;
    std::int64_t winner = -1, win_y = 0, win_x = 0;
    for (std::int64_t tap = 0; tap < kernel[0] * kernel[1]; ++tap) {
      const std::int64_t y = p * stride[0] - padding[0] + tap / kernel[1] * dilation[0];
      const std::int64_t x = q * stride[1] - padding[1] + tap % kernel[1] * dilation[1];
      if (y < 0 || y >= t.h || x < 0 || x >= t.w) continue;
      if (!(static_cast<double>(input.at(n, c, y, x)) > best)) continue;
      best = static_cast<double>(input.at(n, c, y, x));
      winner = tap;
      win_y = y;
      win_x = x;
    }
    EXPECT(static_cast<double>(output.at(n, c, p, q)) == best && offsets.at(n, c, p, q) == winner);
    EXPECT(static_cast<double>(picked.at(n, c, p, q)) == best);
    EXPECT(indices.at(n, c, p, q) == win_y * t.w + win_x);
    wanted.at(n, c, win_y, win_x) += static_cast<double>(g.at(n, c, p, q));
  }
  for (std::int64_t i = 0; i < wanted.array().count(); ++i) {
    const std::int64_t x = i % t.w, y = i / t.w % t.h, c = i / (t.w * t.h) % t.c,
                       n = i / (t.w * t.h * t.c);
    expect_close(static_cast<double>(input_grad.at(n, c, y, x)), wanted.at(n, c, y, x),
                 sizeof(T) < 4 ? 2e-2 : 1e-5, "max_pool_grad");
  }
}

}  // namespace

TEST(max_pooling_and_its_gradients) {
  std::mt19937 random(8);
  for (const PoolCase& t : pool_cases) {
    with_schedules([&] {
      t.geometry.kernel[0] > 16 ? check_pool<float, std::int32_t>(t, random)
                                : check_pool<float, std::uint8_t>(t, random);
    });
    if (!t.packs) continue;
    check_pool<Half, std::uint8_t>(t, random);
    check_pool<BFloat16, std::uint8_t>(t, random);
    check_pool<double, std::uint8_t>(t, random);
  }
}

namespace {

struct MeanCase {
  std::int64_t d, h, w, depths, rows, columns;
  cuda::MeanGeometry geometry;
};

const MeanCase mean_cases[] = {
    {1, 8, 8, 1, 4, 4, {{{1, 2, 2}, {1, 2, 2}, {0, 0, 0}, {}}}},
    {3, 7, 5, 2, 4, 3, {{{2, 3, 3}, {1, 2, 2}, {0, 1, 1}, {}}, false}},
    {1, 5, 6, 1, 3, 3, {{{1, 3, 3}, {1, 2, 2}, {0, 1, 0}, {}}, true}},  // hangs over
    {1, 5, 6, 1, 3, 3, {{{1, 3, 3}, {1, 2, 2}, {0, 1, 0}, {}}, true, -3}},
    {2, 12, 13, 1, 2, 1, {{{2, 8, 13}, {1, 4, 1}, {0, 0, 0}, {}}}},  // long windows
    {4, 7, 5, 3, 3, 7, {}},
    {2, 9, 9, 1, 1, 1, {}},
};

struct Interval {
  std::int64_t first, end, count;
};

// What output `o` of an axis is the mean of.
Interval inputs_of(const MeanCase& t, int axis, std::int64_t size, std::int64_t out,
                   std::int64_t o) {
  const auto& [kernel, stride, padding, dilation] = t.geometry.windows;
  if (kernel.empty()) {
    const std::int64_t first = o * size / out, end = ((o + 1) * size + out - 1) / out;
    return {first, end, end - first};
  }
  const std::int64_t start = o * stride[axis] - padding[axis], stop = start + kernel[axis];
  const std::int64_t first = std::max<std::int64_t>(start, 0), end = std::min(stop, size);
  return {
      first, end,
      t.geometry.count_include_pad ? std::min(stop, size + padding[axis]) - start : end - first};
}

template <class T>
void check_means(const MeanCase& t, std::int64_t c, bool channels_last, double tolerance,
                 std::mt19937& random) {
  constexpr std::int64_t n = 2;
  const std::vector<int> order =
      channels_last ? std::vector<int>{0, 2, 3, 4, 1} : std::vector<int>{};
  HostArray<T> input({n, c, t.d, t.h, t.w}, order),
      output({n, c, t.depths, t.rows, t.columns}, order),
      g(output.shape, c == 3 ? std::vector<int>{} : order), input_grad(input.shape, order);
  HostArray<double> wanted(input.shape);
  std::fill(wanted.values.begin(), wanted.values.end(), 0.0);
  input.randomize(random);
  g.randomize(random);
  cuda::mean_pool(input.array(), output.array(), t.geometry, nullptr);
  cuda::mean_pool_grad(g.array(), input_grad.array(), t.geometry, nullptr);
  for (std::int64_t i = 0; i < output.array().count(); ++i) {
    const std::int64_t q = i % t.columns, p = i / t.columns % t.rows,
                       o = i / (t.columns * t.rows) % t.depths,
                       plane = i / (t.columns * t.rows * t.depths);
    const Interval z = inputs_of(t, 0, t.d, t.depths, o), y = inputs_of(t, 1, t.h, t.rows, p),
                   x = inputs_of(t, 2, t.w, t.columns, q);
    const double divisor = t.geometry.divisor ? static_cast<double>(*t.geometry.divisor)
                                              : static_cast<double>(z.count * y.count * x.count);
    double sum = 0;
    for (std::int64_t a = z.first; a < z.end; ++a) {
      for (std::int64_t b = y.first; b < y.end; ++b) {
        for (std::int64_t e = x.first; e < x.end; ++e) {
          sum += static_cast<double>(input.at(plane / c, plane % c, a, b, e));
          wanted.at(plane / c, plane % c, a, b, e) +=
              static_cast<double>(g.at(plane / c, plane % c, o, p, q)) / divisor;
        }
      }
    }
    expect_close(static_cast<double>(output.at(plane / c, plane % c, o, p, q)), sum / divisor,
                 tolerance, "mean_pool");
  }
  for (std::int64_t i = 0; i < wanted.array().count(); ++i) {
    const std::int64_t x = i % t.w, y = i / t.w % t.h, z = i / (t.w * t.h) % t.d,
                       plane = i / (t.w * t.h * t.d);
    expect_close(static_cast<double>(input_grad.at(plane / c, plane % c, z, y, x)),
                 wanted.at(plane / c, plane % c, z, y, x), tolerance, "mean_pool_grad");
  }
}

}  // namespace

TEST(means_of_pooling_windows_and_bins) {
  std::mt19937 random(9);
  for (const MeanCase& t : mean_cases) {
    // Eight channels-last channels are packs.
    for (const auto& [c, channels_last] : {std::pair{3, false}, {3, true}, {8, true}}) {
      with_schedules([&] { check_means<float>(t, c, channels_last, 1e-5, random); });
      check_means<double>(t, c, channels_last, 1e-13, random);
      check_means<Half>(t, c, channels_last, 2e-3, random);
      check_means<BFloat16>(t, c, channels_last, 2e-2, random);
    }
  }
}

TEST(packs_of_channels_where_all_can_be_read_so) {
  HostArray<float> images({2, 8, 1, 3, 5}, {0, 2, 3, 4, 1}), planes(images.shape),
      odd({2, 6, 1, 3, 5}, {0, 2, 3, 4, 1});
  HostArray<std::uint8_t> offsets(images.shape, {0, 2, 3, 4, 1});
  const auto pack = [](const cuda::Array& array, DType values) {
    return cuda::pool_pack(array, values);
  };
  EXPECT(pack(images.array(), DType::float32) == 4 && pack(offsets.array(), DType::float32) == 4);
  EXPECT(pack(offsets.array(), DType::float16) == 8 && pack(offsets.array(), DType::float64) == 1);
  EXPECT(pack(planes.array(), DType::float32) == 1 && pack(odd.array(), DType::float32) == 1);
  cuda::Array shifted = images.array(), crossed = images.array();
  shifted.data = images.values.data() + 1;
  crossed.strides[0] += 1;
  EXPECT(pack(shifted, DType::float32) == 1 && pack(crossed, DType::float32) == 1);
  EXPECT(pack(images.array(), DType::float16) == 1);  // of another dtype
}

TEST(the_largest_of_every_pooling_bin) {
  std::mt19937 random(10);
  for (const bool channels_last : {false, true}) {
    const std::vector<int> order = channels_last ? std::vector<int>{0, 2, 1} : std::vector<int>{};
    HostArray<float> input({2, 3, 10}, order), output({2, 3, 4}, order);
    HostArray<std::int64_t> indices({2, 3, 4});
    input.randomize(random);
    input.at(0, 1, 3) = NAN;  // the bins are 0-2, 2-4, 5-7, 7-9
    input.at(1, 2, 6) = input.at(1, 2, 5) = 9;
    cuda::bin_maximum(input.array(), output.array(), indices.array(), nullptr);
    for (std::int64_t plane = 0; plane < 6; ++plane) {
      for (std::int64_t o = 0; o < 4; ++o) {
        const std::int64_t first = o * 10 / 4, end = ((o + 1) * 10 + 3) / 4;
        std::int64_t winner = first;
        for (std::int64_t x = first; x < end; ++x) {
          const float value = input.at(plane / 3, plane % 3, x);
          if (std::isnan(value) || value > input.at(plane / 3, plane % 3, winner)) winner = x;
          if (std::isnan(value)) break;
        }
        const float best = input.at(plane / 3, plane % 3, winner),
                    found = output.at(plane / 3, plane % 3, o);
        EXPECT(found == best || (std::isnan(found) && std::isnan(best)));
        EXPECT(indices.at(plane / 3, plane % 3, o) == winner);
      }
    }
  }
}

TEST(the_largest_of_bins_of_volumes) {
  std::mt19937 random(11);
  HostArray<float> input({2, 2, 5, 7, 6}), output({2, 2, 2, 3, 4});
  HostArray<std::int64_t> indices(output.shape);
  input.randomize(random);
  cuda::bin_maximum(input.array(), output.array(), indices.array(), nullptr);
  for (std::int64_t i = 0; i < output.array().count(); ++i) {
    const std::int64_t plane = i / 24, at[] = {i / 12 % 2, i / 4 % 3, i % 4};
    const auto inside = [&](int axis, std::int64_t place) {
      const std::int64_t size = input.shape[2 + axis], out = output.shape[2 + axis];
      return place >= at[axis] * size / out && place < ((at[axis] + 1) * size + out - 1) / out;
    };
    std::int64_t winner = -1;
    for (std::int64_t n = 0; n < 210; ++n) {
      if (!inside(0, n / 42) || !inside(1, n / 6 % 7) || !inside(2, n % 6)) continue;
      if (winner < 0 || input.values[plane * 210 + n] > input.values[plane * 210 + winner])
        winner = n;
    }
    EXPECT(indices.values[i] == winner && output.values[i] == input.values[plane * 210 + winner]);
  }
}

TEST(long_pooling_windows_take_a_block_where_channels_lie_apart) {
  EXPECT(cuda::select_pool_mean({127, false}).spell() == "a thread a window");
  EXPECT(cuda::select_pool_mean({128, false}).spell() == "a block a window");
  EXPECT(cuda::select_pool_mean({128, true}).spell() == "a thread a window");
}

TEST(a_nan_wins_its_pooling_window) {
  HostArray<float> input({1, 1, 2, 4}), output({1, 1, 1, 2});
  HostArray<std::uint8_t> offsets({1, 1, 1, 2});
  input.values = {1, NAN, -INFINITY, -INFINITY, 3, 2, -INFINITY, -INFINITY};
  cuda::max_pool(input.array(), output.array(), offsets.array(), {{2, 2}, {2, 2}, {0, 0}, {1, 1}},
                 nullptr);
  EXPECT(std::isnan(output.values[0]) && offsets.values[0] == 1);
  EXPECT(output.values[1] == -INFINITY && offsets.values[1] == 0);
}

TEST(pooling_refuses_what_does_not_fit) {
  HostArray<float> input({1, 2, 6, 6}), output({1, 2, 3, 3});
  HostArray<std::int32_t> offsets({1, 2, 3, 3});
  expect_mentions(message_of([&] {
                    cuda::max_pool(input.array(), output.array(), offsets.array(),
                                   {{2, 2}, {2, 2}, {0, 0}, {1, 1}}, nullptr);
                  }),
                  {"offsets", "uint8", "int32"});
  HostArray<float> larger({1, 2, 4, 3});
  expect_mentions(message_of([&] {
                    cuda::mean_pool(input.array(), larger.array(),
                                    {{{2, 2}, {2, 2}, {0, 0}, {1, 1}}}, nullptr);
                  }),
                  {"4 windows", "an input of 6", "wanted are 3"});
}

TEST(pooling_refuses_images_beyond_its_arithmetic) {
  const std::int64_t wide = std::int64_t{1} << 31;
  float value = 0;
  const cuda::Array input{&value, DType::float32, {1, 1, wide}, {0, 0, 0}};
  const cuda::Array output{&value, DType::float32, {1, 1, 1}, {0, 0, 0}};
  expect_mentions(message_of([&] { cuda::mean_pool(input, output, {}, nullptr); }),
                  {"2147483648", "limit"});
}
