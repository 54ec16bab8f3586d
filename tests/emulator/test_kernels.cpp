// Elementwise, matmul and LSTM kernels against plain loops in double, on odd sizes and
// strides.
#include "arrays.h"
#include "cuda/elementwise.h"
#include "cuda/lstm_step.h"
#include "cuda/matmul.h"

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

template <class T>
void check_matmul(std::int64_t batch, std::int64_t m, std::int64_t n, std::int64_t k, bool a_turned,
                  bool b_turned, bool out_turned, std::mt19937& random) {
  const auto stack = [](std::int64_t b, std::int64_t rows, std::int64_t columns, bool turned) {
    return turned ? HostArray<T>({b, rows, columns}, {0, 2, 1}) : HostArray<T>({b, rows, columns});
  };
  auto a = stack(batch, m, k, a_turned), b = stack(1, k, n, b_turned),
       out = stack(batch, m, n, out_turned);
  a.randomize(random);
  b.randomize(random);
  cuda::matmul(a.array(), b.array(), out.array(), nullptr);
  for (std::int64_t z = 0; z < batch; ++z) {
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        double wanted = 0;
        for (std::int64_t x = 0; x < k; ++x)
          wanted += static_cast<double>(a.at(z, i, x)) * b.at(0, x, j);
        expect_close(out.at(z, i, j), wanted, sizeof(T) == 4 ? 1e-4 : 1e-12,
                     concat("matmul ", m, " x ", n, " x ", k, " at ", i, ", ", j));
      }
    }
  }
}

}  // namespace

TEST(matmul_of_every_orientation) {
  std::mt19937 random(3);
  for (int turned = 0; turned < 8; ++turned) {
    with_schedules(
        [&] { check_matmul<float>(2, 19, 35, 37, turned & 1, turned & 2, turned & 4, random); });
    check_matmul<double>(1, 33, 17, 65, turned & 1, turned & 2, turned & 4, random);
  }
}

TEST(matmul_of_every_tile) {
  std::mt19937 random(4);
  check_matmul<float>(110, 70, 66, 9, false, true, false, random);   // large
  check_matmul<float>(110, 40, 50, 20, true, false, false, random);  // medium
  check_matmul<float>(1, 1, 1, 1, false, false, false, random);
  check_matmul<float>(3, 1, 40, 130, true, true, true, random);
  HostArray<float> a({4, 0}), b({0, 5}), out({4, 5});
  cuda::matmul(a.array(), b.array(), out.array(), nullptr);
  for (const float value : out.values) EXPECT(value == 0);
}

TEST(matmul_refuses_what_does_not_fit) {
  HostArray<float> a({4, 3}), b({4, 5}), out({4, 5}), vector({3});
  expect_mentions(message_of([&] { cuda::matmul(a.array(), b.array(), out.array(), nullptr); }),
                  {"[4, 3]", "[4, 5]"});
  expect_mentions(
      message_of([&] { cuda::matmul(a.array(), vector.array(), out.array(), nullptr); }), {"[3]"});
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
