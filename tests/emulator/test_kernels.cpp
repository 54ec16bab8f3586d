// Elementwise and LSTM kernels against plain loops in double, on odd sizes and
// strides.
#include "arrays.h"
#include "cuda/elementwise.h"
#include "cuda/lstm_step.h"

using namespace minidl;
using namespace minidl::testing;

TEST(elementwise_broadcasts_over_any_strides) {
  std::mt19937 random(1);
  HostArray<float> a({5, 1, 7}, {2, 0, 1}), b({3, 7}), out({5, 3, 7}, {1, 2, 0});
  a.randomize(random);
  b.randomize(random);
  with_schedules([&] {
    std::fill(out.values.begin(), out.values.end(), NAN);
    cuda::elementwise(cuda::BinaryOp::sub, {a.array()}, {b.array()}, out.array(), nullptr);
    for (int i = 0; i < 5; ++i) {
      for (int j = 0; j < 3; ++j) {
        for (int k = 0; k < 7; ++k) EXPECT(out.at(i, j, k) == a.at(i, 0, k) - b.at(j, k));
      }
    }
  });
}

TEST(elementwise_takes_numbers_reversed_arrays_and_its_own_output) {
  std::mt19937 random(2);
  HostArray<double> a({301});
  a.randomize(random);
  const auto before = a.values;
  cuda::Array reversed = a.array();
  reversed.data = &a.values.back();
  reversed.strides = {-1};
  HostArray<double> out({301});
  cuda::elementwise(cuda::BinaryOp::mul, {reversed}, {{}, 0.5}, out.array(), nullptr);
  for (int i = 0; i < 301; ++i) EXPECT(out.at(i) == before[300 - i] * 0.5);
  cuda::elementwise(cuda::UnaryOp::exp, a.array(), a.array(), nullptr);
  for (int i = 0; i < 301; ++i) expect_close(a.at(i), std::exp(before[i]), 1e-14, "exp");
}

TEST(elementwise_refuses_what_does_not_fit) {
  HostArray<float> a({2, 3}), b({4}), out({2, 3});
  HostArray<double> wide({2, 3});
  const auto add = [&](const cuda::Array& x, const cuda::Array& y) {
    return message_of(
        [&] { cuda::elementwise(cuda::BinaryOp::add, {x}, {y}, out.array(), nullptr); });
  };
  expect_mentions(add(a.array(), b.array()), {"[4]", "[2, 3]"});
  expect_mentions(add(a.array(), wide.array()), {"float32", "float64"});
}

namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

TEST(an_lstm_step_and_its_gradient) {
  std::mt19937 random(6);
  const int batch = 5, size = 29;
  HostArray<double> x({batch, 4 * size}), y({batch, 4 * size}, {1, 0}), bias({4 * size}),
      before({batch, size});
  HostArray<double> gates({batch, 4 * size}), c({batch, size}), h({batch, size}), dh({batch, size}),
      dc({batch, size});
  HostArray<double> dz({batch, 4 * size}), dc_before({batch, size});
  for (auto* array : {&x, &y, &bias, &before, &dh, &dc}) array->randomize(random);
  const cuda::Array b = bias.array(), dh_array = dh.array(), dc_array = dc.array();
  with_schedules([&] {
    cuda::lstm_step(
        {x.array(), y.array(), nullptr, &b, before.array(), gates.array(), c.array(), h.array()},
        nullptr);
    cuda::lstm_step_grad({&dh_array, nullptr, &dc_array, gates.array(), c.array(), before.array(),
                          dz.array(), dc_before.array()},
                         nullptr);
    for (int n = 0; n < batch; ++n) {
      for (int k = 0; k < size; ++k) {
        const auto z = [&](int q) {
          return x.at(n, q * size + k) + y.at(n, q * size + k) + bias.at(q * size + k);
        };
        const double i = sigmoid(z(0)), f = sigmoid(z(1)), g = std::tanh(z(2)), o = sigmoid(z(3));
        const double cell = f * before.at(n, k) + i * g, t = std::tanh(cell);
        expect_close(c.at(n, k), cell, 1e-13, "c");
        expect_close(h.at(n, k), o * t, 1e-13, "h");
        const double d = dc.at(n, k) + dh.at(n, k) * o * (1 - t * t);
        expect_close(dc_before.at(n, k), d * f, 1e-13, "dc_before");
        expect_close(dz.at(n, k), d * g * i * (1 - i), 1e-13, "di");
        expect_close(dz.at(n, size + k), d * before.at(n, k) * f * (1 - f), 1e-13, "df");
        expect_close(dz.at(n, 2 * size + k), d * i * (1 - g * g), 1e-13, "dg");
        expect_close(dz.at(n, 3 * size + k), dh.at(n, k) * t * o * (1 - o), 1e-13, "do");
      }
    }
  });
}
