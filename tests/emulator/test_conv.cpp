// Convolution and its gradients against plain loops in double, under the sanitizers: every bound is
// an array's end.
#include <memory>

#include "arrays.h"
#include "cuda/conv.h"
#include "cuda/conv_reach.h"
#include "cuda/divider.h"

using namespace minidl;
using namespace minidl::testing;

namespace {

struct ConvCase {
  std::int64_t n, c, k, h, w, r, s, groups;
  std::vector<std::int64_t> stride, padding, dilation;
  bool channels_last = false;
};

const ConvCase conv_cases[] = {
    {2, 3, 5, 7, 9, 3, 2, 1, {1, 1}, {0, 0}, {1, 1}},
    {1, 4, 6, 8, 5, 3, 3, 2, {2, 3}, {1, 2}, {1, 1}, true},
    {3, 6, 6, 6, 7, 2, 3, 6, {1, 2}, {2, 1}, {2, 1}},     // depthwise
    {1, 33, 3, 12, 12, 5, 1, 1, {1, 1}, {4, 0}, {1, 3}},  // many steps over the terms
    {2, 1, 1, 1, 1, 3, 3, 1, {1, 1}, {1, 1}, {1, 1}, true},
    {0, 2, 3, 5, 5, 2, 2, 1, {1, 1}, {0, 0}, {1, 1}},
    {1, 8, 40, 6, 5, 3, 3, 1, {1, 1}, {1, 1}, {1, 1}, true},    // packs of channels
    {2, 8, 16, 9, 10, 2, 1, 1, {3, 4}, {1, 0}, {1, 1}, true},   // classes without a tap
    {2, 40, 40, 6, 5, 3, 4, 40, {2, 1}, {1, 1}, {1, 1}, true},  // depthwise in packs
    {1, 4, 8, 12, 13, 4, 3, 1, {4, 2}, {3, 2}, {2, 2}},  // stride and dilation share a divisor
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
double tolerance() {
  return sizeof(T) == 8 ? 1e-12 : sizeof(T) == 4 ? 1e-4 : std::is_same_v<T, Half> ? 4e-2 : 3e-1;
}

template <class T>
void expect_equal(HostArray<T>& found, HostArray<double>& wanted, const char* where) {
  const auto& shape = found.shape;
  for (std::int64_t i = 0; i < found.array().count(); ++i) {
    const std::int64_t d = i % shape[3], c = i / shape[3] % shape[2];
    const std::int64_t b = i / (shape[3] * shape[2]) % shape[1],
                       a = i / (shape[3] * shape[2] * shape[1]);
    expect_close(static_cast<double>(found.at(a, b, c, d)), wanted.at(a, b, c, d), tolerance<T>(),
                 where);
  }
}

// A workspace of exactly the wanted size; kernels may write it and nothing beyond.
struct Workspace {
  std::unique_ptr<std::uint8_t[]> bytes;

  cuda::ConvWorkspace taken() {
    return [this](std::int64_t size) {
      EXPECT(size > 0 && !bytes);
      bytes.reset(new std::uint8_t[size]);
      std::fill_n(bytes.get(), size, std::uint8_t{0xFF});  // NaN in every type
      return static_cast<void*>(bytes.get());
    };
  }
};

template <class T>
void run_conv(const ConvCase& t, HostArray<T>& input, HostArray<T>& weight, HostArray<T>& bias,
              HostArray<T>& g, HostArray<T>& output, HostArray<T>& input_grad,
              HostArray<T>& weight_grad) {
  const cuda::ConvGeometry geometry{t.stride, t.padding, t.dilation, t.groups};
  const cuda::Array bias_array = bias.array();
  Workspace forward, backward, sums;
  cuda::conv_forward(input.array(), weight.array(), &bias_array, output.array(), forward.taken(),
                     geometry, nullptr);
  cuda::conv_input_grad(g.array(), weight.array(), input_grad.array(), backward.taken(), geometry,
                        nullptr);
  cuda::conv_weight_grad(g.array(), input.array(), weight_grad.array(), sums.taken(), geometry,
                         nullptr);
}

template <class T>
void check_conv(const ConvCase& t, std::mt19937& random) {
  const auto size = [&](int d, std::int64_t in, std::int64_t kernel) {
    return (in + 2 * t.padding[d] - t.dilation[d] * (kernel - 1) - 1) / t.stride[d] + 1;
  };
  const std::int64_t rows = size(0, t.h, t.r), columns = size(1, t.w, t.s);
  HostArray<T> input({t.n, t.c, t.h, t.w}, layout(t)),
      weight({t.k, t.c / t.groups, t.r, t.s}, layout(t)), bias({t.k});
  HostArray<T> output({t.n, t.k, rows, columns}, layout(t)), g(output.shape, layout(t));
  HostArray<T> input_grad(input.shape), weight_grad(weight.shape, layout(t));
  for (auto* array : {&input, &weight, &bias, &g}) array->randomize(random);
  HostArray<double> out_wanted(output.shape), input_wanted(input.shape),
      weight_wanted(weight.shape);
  for (auto* wanted : {&out_wanted, &input_wanted, &weight_wanted}) {
    std::fill(wanted->values.begin(), wanted->values.end(), 0.0);
  }
  for (std::int64_t i = 0; i < output.array().count(); ++i) {
    out_wanted.values[i] = static_cast<double>(bias.at(i / (rows * columns) % t.k));
  }
  for_every_product(
      t, rows, columns,
      [&](auto n, auto k, auto p, auto q, auto c, auto r, auto s, auto ch, auto y, auto x) {
        const auto value = [](T v) { return static_cast<double>(v); };
        out_wanted.at(n, k, p, q) += value(input.at(n, ch, y, x)) * value(weight.at(k, c, r, s));
        input_wanted.at(n, ch, y, x) += value(g.at(n, k, p, q)) * value(weight.at(k, c, r, s));
        weight_wanted.at(k, c, r, s) += value(g.at(n, k, p, q)) * value(input.at(n, ch, y, x));
      });
  run_conv(t, input, weight, bias, g, output, input_grad, weight_grad);
  expect_equal(output, out_wanted, "conv_forward");
  expect_equal(input_grad, input_wanted, "conv_input_grad");
  expect_equal(weight_grad, weight_wanted, "conv_weight_grad");
}

}  // namespace

TEST(convolution_and_its_gradients) {
  std::mt19937 random(7);
  for (const ConvCase& geometry : conv_cases) {
    with_schedules([&] { check_conv<float>(geometry, random); });
    check_conv<double>(geometry, random);
    check_conv<BFloat16>(geometry, random);
  }
}

TEST(convolution_on_tensor_cores) {
  std::mt19937 random(9);
  for (const ConvCase& geometry : conv_cases) {
    for (const int seed : {1, 2}) with_seed(seed, [&] { check_conv<Half>(geometry, random); });
  }
}

TEST(convolution_sums_long_weight_gradients_in_parts) {
  std::mt19937 random(8);
  const ConvCase even{2, 2, 3, 20, 19, 3, 3, 1, {1, 1}, {1, 1}, {1, 1}};
  with_seed(1, [&] { check_conv<float>(even, random); });
  const ConvCase ragged[] = {
      {3, 2, 3, 19, 19, 3, 3, 1, {1, 1}, {1, 1}, {1, 1}},            // 1083 pixels in 4 parts
      {1, 40, 40, 13, 13, 3, 3, 40, {1, 1}, {1, 1}, {1, 1}, true}};  // depthwise, 169 in 2
  for (const ConvCase& t : ragged) {
    with_seed({}, [&] { check_conv<float>(t, random); });
    with_seed({}, [&] { check_conv<Half>(t, random); });
  }
}

// Three dimensions; a kernel a channel, and one for all.
TEST(convolution_of_volumes) {
  std::mt19937 random(6);
  for (const std::int64_t groups : {2, 1}) {
    const cuda::ConvGeometry geometry{{2, 1, 1}, {0, 1, 0}, {1, 1, 2}, groups};
    HostArray<float> input({2, 2, 7, 3, 5}), weight({2, 2 / groups, 2, 2, 3}),
        output({2, 2, 3, 4, 1}), g(output.shape), input_grad(input.shape),
        weight_grad(weight.shape);
    for (auto* array : {&input, &weight, &g}) array->randomize(random);
    HostArray<double> out_wanted(output.shape), input_wanted(input.shape),
        weight_wanted(weight.shape);
    for (auto* wanted : {&out_wanted, &input_wanted, &weight_wanted})
      std::fill(wanted->values.begin(), wanted->values.end(), 0.0);
    const std::int64_t each = weight.array().count() / 2;
    for (std::int64_t i = 0; i < output.array().count() * each; ++i) {
      const std::int64_t tap = i % each, t = tap % 3, s = tap / 3 % 2, r = tap / 6 % 2,
                         c = tap / 12;
      const std::int64_t at = i / each, q = at % 4, p = at / 4 % 3, k = at / 12 % 2, n = at / 24;
      const std::int64_t from = groups == 2 ? k : c, z = 2 * p + r, y = q - 1 + s, x = 2 * t;
      if (y < 0 || y >= 3) continue;
      out_wanted.at(n, k, p, q, 0) += input.at(n, from, z, y, x) * weight.at(k, c, r, s, t);
      input_wanted.at(n, from, z, y, x) += g.at(n, k, p, q, 0) * weight.at(k, c, r, s, t);
      weight_wanted.at(k, c, r, s, t) += g.at(n, k, p, q, 0) * input.at(n, from, z, y, x);
    }
    with_seed(1, [&] {
      Workspace forward, backward, sums;
      cuda::conv_forward(input.array(), weight.array(), nullptr, output.array(), forward.taken(),
                         geometry, nullptr);
      cuda::conv_input_grad(g.array(), weight.array(), input_grad.array(), backward.taken(),
                            geometry, nullptr);
      cuda::conv_weight_grad(g.array(), input.array(), weight_grad.array(), sums.taken(), geometry,
                             nullptr);
    });
    const auto same = [](const HostArray<float>& found, const HostArray<double>& wanted,
                         const char* where) {
      for (std::size_t i = 0; i < wanted.values.size(); ++i)
        expect_close(found.values[i], wanted.values[i], 1e-4, where);
    };
    same(output, out_wanted, "conv_forward of volumes");
    same(input_grad, input_wanted, "conv_input_grad of volumes");
    same(weight_grad, weight_wanted, "conv_weight_grad of volumes");
  }
}

TEST(convolution_refuses_what_does_not_fit) {
  HostArray<float> input({1, 4, 5, 5}), weight({6, 4, 3, 3}), output({1, 6, 3, 3}),
      wrong({1, 6, 4, 3});
  const auto with = [&](const cuda::Array& out, const cuda::ConvGeometry& geometry) {
    return message_of([&] {
      cuda::conv_forward(input.array(), weight.array(), nullptr, out, {}, geometry, nullptr);
    });
  };
  expect_mentions(with(wrong.array(), {{1, 1}, {0, 0}, {1, 1}, 1}), {"must be 3", "[1, 6, 4, 3]"});
  expect_mentions(with(output.array(), {{1, 1}, {0, 0}, {1, 1}, 4}), {"groups = 4"});
  expect_mentions(with(output.array(), {{0, 1}, {0, 0}, {1, 1}, 1}), {"stride 0"});
  expect_mentions(with(output.array(), {{1}, {0, 0}, {1, 1}, 1}), {"stride [1]"});
}

// Every position of an input gradient is in one class, and its class has the taps that meet it.
TEST(convolution_classes_have_the_taps_that_meet) {
  for (int i = 0; i < 600; ++i) {
    const int stride = 1 + i % 5, dilation = 1 + i / 5 % 4, kernel = 1 + i / 20 % 5,
              padding = i / 100 % 3, input = 3 + i / 300 * 9;
    const int span = dilation * (kernel - 1) + 1;
    if (input + 2 * padding < span) continue;
    const int output = (input + 2 * padding - span) / stride + 1;
    const auto direction = cuda::ConvDirection::input_grad;
    const auto axis = cuda::conv_axis(direction, output, input, kernel, stride, padding, dilation);
    int met = 0, wanted = 0, positions = 0;
    for (int residue = 0; residue < axis.classes; ++residue) {
      const auto reach = cuda::conv_reach(axis, direction, residue);
      EXPECT(reach.taps <= cuda::conv_most_taps(axis, direction));
      positions += reach.count;
      for (int p = 0; p < reach.count; ++p) {
        for (int j = 0; j < reach.taps; ++j) {
          const int y = reach.first + p * reach.hop, tap = reach.first_tap + j * reach.tap_step;
          const int at = reach.base + p * reach.advance + j * reach.step;
          EXPECT(at * stride - padding + tap * dilation == y && tap < kernel);
          met += 0 <= at && at < output;
        }
      }
    }
    for (int p = 0; p < output; ++p) {
      for (int tap = 0; tap < kernel; ++tap) {
        const int y = p * stride - padding + tap * dilation;
        wanted += 0 <= y && y < input;
      }
    }
    EXPECT(positions == input && met == wanted);
  }
}

TEST(division_by_multiplication) {
  for (const int divisor : {1, 2, 3, 5, 7, 12, 127, 128, 641, 65537, 1 << 30, 2147483647}) {
    const cuda::Divider divider(divisor);
    for (const std::int64_t number :
         {std::int64_t{0}, std::int64_t{1}, divisor - std::int64_t{1}, std::int64_t{divisor},
          2 * std::int64_t{divisor} - 1, std::int64_t{1000003}, std::int64_t{2147483646},
          std::int64_t{2147483647}}) {
      if (number > 2147483647) continue;
      int quotient = static_cast<int>(number);
      const int remainder = divider.split(quotient);
      EXPECT(quotient == number / divisor && remainder == number % divisor);
    }
  }
}
