// LSTM kernels against plain loops in double, on odd sizes and strides.
#include "arrays.h"
#include "cuda/lstm_step.h"

using namespace minidl;
using namespace minidl::testing;

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
