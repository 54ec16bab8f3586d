// Recurrent sequences against plain loops in double: every step, both directions, gradients by the
// formulas of the steps, wrong arguments.
#include "arrays.h"
#include "cuda/recurrent.h"

using namespace minidl;
using namespace minidl::testing;

namespace {

constexpr int steps = 3, batch = 2, size = 37;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

using Rows = HostArray<double>;

Rows random_array(std::mt19937& random, std::vector<std::int64_t> shape,
                  std::vector<int> order = {}) {
  Rows array(std::move(shape), std::move(order));
  array.randomize(random);
  return array;
}

// (weight h + bias)[row] of batch row n
double from_hidden(Rows& weight, Rows& bias, const std::vector<double>& h, int row) {
  double sum = bias.at(row);
  for (int k = 0; k < size; ++k) sum += weight.at(row, k) * h[k];
  return sum;
}

std::vector<double> row_of(Rows& states, int n) {
  std::vector<double> row(size);
  for (int k = 0; k < size; ++k) row[k] = states.at(n, k);
  return row;
}

int time(int i, bool reverse) { return reverse ? steps - 1 - i : i; }

void for_both_directions(const std::function<void(bool)>& check) {
  with_schedules([&] {
    check(false);
    check(true);
  });
}

// The gradient that reaches each state by dz [T, N, G H] and by `carry`, checked against dh0.
void expect_first_gradient(Rows& dh0, Rows& dz, Rows& weight, int gates, int t, Rows* carry) {
  for (int n = 0; n < batch; ++n) {
    for (int k = 0; k < size; ++k) {
      double wanted = carry ? carry->at(n, k) : 0;
      for (int row = 0; row < gates * size; ++row) wanted += dz.at(t, n, row) * weight.at(row, k);
      expect_close(dh0.at(n, k), wanted, 1e-12, "dh0");
    }
  }
}

}  // namespace

TEST(recurrent_rnn) {
  std::mt19937 random(6);
  Rows weight = random_array(random, {size, size}, {1, 0}), bias = random_array(random, {size}),
       h0 = random_array(random, {batch, size}), x = random_array(random, {steps, batch, size}),
       doutput = random_array(random, {steps, batch, size}),
       dh_n = random_array(random, {batch, size});
  const cuda::Array b = bias.array(), doutput_array = doutput.array(), dh_array = dh_n.array();
  for_both_directions([&](bool reverse) {
    for (const bool relu : {false, true}) {
      Rows output = x, dz(x.shape), dh0(h0.shape);
      cuda::rnn_sequence({weight.array(), &b, h0.array(), output.array(), relu, {reverse}},
                         nullptr);
      cuda::rnn_sequence_grad({weight.array(),
                               &doutput_array,
                               &dh_array,
                               output.array(),
                               dz.array(),
                               dh0.array(),
                               relu,
                               {reverse}},
                              nullptr);
      for (int n = 0; n < batch; ++n) {
        std::vector<double> h = row_of(h0, n);
        for (int i = 0; i < steps; ++i) {
          const int t = time(i, reverse);
          std::vector<double> next(size);
          for (int k = 0; k < size; ++k) {
            const double z = x.at(t, n, k) + from_hidden(weight, bias, h, k);
            next[k] = relu ? std::max(z, 0.0) : std::tanh(z);
            expect_close(output.at(t, n, k), next[k], 1e-12, "output");
          }
          h = next;
        }
        for (int i = steps - 1; i >= 0; --i) {
          const int t = time(i, reverse);
          for (int k = 0; k < size; ++k) {
            double dh = doutput.at(t, n, k) + (i == steps - 1 ? dh_n.at(n, k) : 0);
            for (int row = 0; i < steps - 1 && row < size; ++row) {
              dh += dz.at(time(i + 1, reverse), n, row) * weight.at(row, k);
            }
            const double y = output.at(t, n, k);
            expect_close(dz.at(t, n, k), dh * (relu ? y > 0 : 1 - y * y), 1e-12, "dz");
          }
        }
      }
      expect_first_gradient(dh0, dz, weight, 1, time(0, reverse), nullptr);
    }
  });
}

TEST(recurrent_lstm) {
  std::mt19937 random(7);
  Rows weight = random_array(random, {4 * size, size}), bias = random_array(random, {4 * size}),
       h0 = random_array(random, {batch, size}, {1, 0}), c0 = random_array(random, {batch, size}),
       x = random_array(random, {steps, batch, 4 * size}),
       doutput = random_array(random, {steps, batch, size}),
       dc_n = random_array(random, {batch, size});
  const cuda::Array b = bias.array(), doutput_array = doutput.array(), dc_array = dc_n.array();
  for_both_directions([&](bool reverse) {
    Rows gates = x, output({steps, batch, size}), cells(output.shape), dz(gates.shape),
         dh0(h0.shape), dc0(c0.shape);
    cuda::lstm_sequence({weight.array(),
                         &b,
                         h0.array(),
                         c0.array(),
                         gates.array(),
                         cells.array(),
                         output.array(),
                         {reverse}},
                        nullptr);
    cuda::lstm_sequence_grad({weight.array(),
                              &doutput_array,
                              nullptr,
                              &dc_array,
                              c0.array(),
                              gates.array(),
                              cells.array(),
                              dz.array(),
                              dh0.array(),
                              dc0.array(),
                              {reverse}},
                             nullptr);
    for (int n = 0; n < batch; ++n) {
      std::vector<double> h = row_of(h0, n), c = row_of(c0, n);
      for (int i = 0; i < steps; ++i) {
        const int t = time(i, reverse);
        std::vector<double> next(size);
        for (int k = 0; k < size; ++k) {
          double z[4];
          for (int q = 0; q < 4; ++q) {
            z[q] = x.at(t, n, q * size + k) + from_hidden(weight, bias, h, q * size + k);
            z[q] = q == 2 ? std::tanh(z[q]) : sigmoid(z[q]);
            expect_close(gates.at(t, n, q * size + k), z[q], 1e-12, "gates");
          }
          c[k] = z[1] * c[k] + z[0] * z[2];
          next[k] = z[3] * std::tanh(c[k]);
          expect_close(cells.at(t, n, k), c[k], 1e-12, "cells");
          expect_close(output.at(t, n, k), next[k], 1e-12, "output");
        }
        h = next;
      }
      std::vector<double> dc = row_of(dc_n, n);
      for (int i = steps - 1; i >= 0; --i) {
        const int t = time(i, reverse);
        for (int k = 0; k < size; ++k) {
          const auto gate = [&](int q) { return gates.at(t, n, q * size + k); };
          double dh = doutput.at(t, n, k);
          for (int row = 0; i < steps - 1 && row < 4 * size; ++row) {
            dh += dz.at(time(i + 1, reverse), n, row) * weight.at(row, k);
          }
          const double tanh_c = std::tanh(cells.at(t, n, k));
          const double before = i ? cells.at(time(i - 1, reverse), n, k) : c0.at(n, k);
          const double d = dc[k] + dh * gate(3) * (1 - tanh_c * tanh_c);
          const double wanted[4] = {
              d * gate(2) * gate(0) * (1 - gate(0)), d * before * gate(1) * (1 - gate(1)),
              d * gate(0) * (1 - gate(2) * gate(2)), dh * tanh_c * gate(3) * (1 - gate(3))};
          for (int q = 0; q < 4; ++q) {
            expect_close(dz.at(t, n, q * size + k), wanted[q], 1e-12, "dz");
          }
          dc[k] = d * gate(1);
        }
      }
      for (int k = 0; k < size; ++k) expect_close(dc0.at(n, k), dc[k], 1e-12, "dc0");
    }
    expect_first_gradient(dh0, dz, weight, 4, time(0, reverse), nullptr);
  });
}

TEST(recurrent_gru) {
  std::mt19937 random(8);
  Rows weight = random_array(random, {3 * size, size}), bias = random_array(random, {3 * size}),
       h0 = random_array(random, {batch, size}),
       x = random_array(random, {steps, batch, 3 * size}, {1, 0, 2}),
       doutput = random_array(random, {steps, batch, size}),
       dh_n = random_array(random, {batch, size});
  const cuda::Array b = bias.array(), doutput_array = doutput.array(), dh_array = dh_n.array();
  for_both_directions([&](bool reverse) {
    Rows gates = x, output({steps, batch, size}), hidden_n(output.shape), from({batch, 3 * size}),
         dz_input(gates.shape), dz_hidden(gates.shape), dh0(h0.shape), carry(h0.shape);
    cuda::gru_sequence({weight.array(),
                        &b,
                        h0.array(),
                        gates.array(),
                        hidden_n.array(),
                        output.array(),
                        from.array(),
                        {reverse}},
                       nullptr);
    cuda::gru_sequence_grad({weight.array(),
                             &doutput_array,
                             &dh_array,
                             h0.array(),
                             output.array(),
                             gates.array(),
                             hidden_n.array(),
                             dz_input.array(),
                             dz_hidden.array(),
                             dh0.array(),
                             {reverse}},
                            nullptr);
    for (int n = 0; n < batch; ++n) {
      std::vector<double> h = row_of(h0, n);
      for (int i = 0; i < steps; ++i) {
        const int t = time(i, reverse);
        std::vector<double> next(size);
        for (int k = 0; k < size; ++k) {
          const auto sum = [&](int q) {
            return x.at(t, n, q * size + k) + from_hidden(weight, bias, h, q * size + k);
          };
          const double r = sigmoid(sum(0)), z = sigmoid(sum(1));
          const double hidden = from_hidden(weight, bias, h, 2 * size + k);
          const double fresh = std::tanh(x.at(t, n, 2 * size + k) + r * hidden);
          next[k] = (1 - z) * fresh + z * h[k];
          expect_close(gates.at(t, n, k), r, 1e-12, "r");
          expect_close(gates.at(t, n, size + k), z, 1e-12, "z");
          expect_close(gates.at(t, n, 2 * size + k), fresh, 1e-12, "n");
          expect_close(hidden_n.at(t, n, k), hidden, 1e-12, "hidden_n");
          expect_close(output.at(t, n, k), next[k], 1e-12, "output");
        }
        h = next;
      }
      std::vector<double> kept = row_of(dh_n, n);
      for (int i = steps - 1; i >= 0; --i) {
        const int t = time(i, reverse);
        for (int k = 0; k < size; ++k) {
          double dh = doutput.at(t, n, k) + kept[k];
          for (int row = 0; i < steps - 1 && row < 3 * size; ++row) {
            dh += dz_hidden.at(time(i + 1, reverse), n, row) * weight.at(row, k);
          }
          const double r = gates.at(t, n, k), z = gates.at(t, n, size + k),
                       fresh = gates.at(t, n, 2 * size + k);
          const double before = i ? output.at(time(i - 1, reverse), n, k) : h0.at(n, k);
          const double dn = dh * (1 - z) * (1 - fresh * fresh);
          const double dr = dn * hidden_n.at(t, n, k) * r * (1 - r);
          const double dz = dh * (before - fresh) * z * (1 - z);
          expect_close(dz_input.at(t, n, k), dr, 1e-12, "dr");
          expect_close(dz_hidden.at(t, n, k), dr, 1e-12, "dr of the hidden sum");
          expect_close(dz_input.at(t, n, size + k), dz, 1e-12, "dz");
          expect_close(dz_hidden.at(t, n, size + k), dz, 1e-12, "dz of the hidden sum");
          expect_close(dz_input.at(t, n, 2 * size + k), dn, 1e-12, "dn");
          expect_close(dz_hidden.at(t, n, 2 * size + k), dn * r, 1e-12, "dn of the hidden sum");
          kept[k] = dh * z;
        }
      }
      for (int k = 0; k < size; ++k) carry.at(n, k) = kept[k];
    }
    expect_first_gradient(dh0, dz_hidden, weight, 3, time(0, reverse), &carry);
  });
}

TEST(recurrent_in_16_bits) {
  HostArray<BFloat16> weight({4 * size, size}), h0({batch, size}), c0({batch, size}),
      gates({steps, batch, 4 * size}), cells({steps, batch, size}), output({steps, batch, size});
  for (auto* array : {&weight, &h0, &c0, &gates}) {
    for (BFloat16& value : array->values) value = BFloat16(0.125f);
  }
  cuda::lstm_sequence({weight.array(), nullptr, h0.array(), c0.array(), gates.array(),
                       cells.array(), output.array()},
                      nullptr);
  const double z = 0.125 + size * 0.125 * 0.125;
  const double c = sigmoid(z) * 0.125 + sigmoid(z) * std::tanh(z);
  expect_close(cells.at(0, 0, 0), c, 1e-2, "c");
  expect_close(output.at(0, 1, size - 1), sigmoid(z) * std::tanh(c), 1e-2, "h");
}

TEST(recurrent_shapes_that_do_not_fit) {
  Rows weight({3 * size, size}), h0({batch, size}), gates({steps, batch, 3 * size}),
      output({steps, batch, size}), hidden_n({steps, batch, size}), from({batch, 3 * size});
  expect_mentions(message_of([&] {
                    cuda::gru_sequence({h0.array(), nullptr, h0.array(), gates.array(),
                                        hidden_n.array(), output.array(), from.array()},
                                       nullptr);
                  }),
                  {"w_hh", "111, 37"});
  HostArray<float> narrow({steps, batch, size});
  expect_mentions(message_of([&] {
                    cuda::gru_sequence({weight.array(), nullptr, h0.array(), gates.array(),
                                        narrow.array(), output.array(), from.array()},
                                       nullptr);
                  }),
                  {"hidden_n", "float64", "float32"});
}
