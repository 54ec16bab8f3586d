// Norms against plain loops: rows in registers and streamed, channels in both orders of memory.
#include "arrays.h"
#include "cuda/norm_channels.h"
#include "cuda/norm_channels_select.h"
#include "cuda/norm_rows.h"
#include "cuda/norm_rows_select.h"

using namespace minidl;
using namespace minidl::testing;

namespace {

constexpr double eps = 1e-3;

// y and the gradients of elements that share their statistics, by the equations.
struct Plain {
  std::vector<double> x, g, weight, y, dx;

  // Not centred: RMS norm.
  void run(bool centred = true) {
    const double n = static_cast<double>(x.size());
    double mean = 0, variance = 0, g_mean = 0, along = 0;
    for (const double v : x) mean += centred ? v / n : 0;
    for (const double v : x) variance += (v - mean) * (v - mean) / n;
    const double inv_std = 1 / std::sqrt(variance + eps);
    for (std::size_t i = 0; i < x.size(); ++i) {
      g_mean += centred ? g[i] * weight[i] / n : 0;
      along += g[i] * weight[i] * (x[i] - mean) * inv_std / n;
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double x_hat = (x[i] - mean) * inv_std;
      y.push_back(x_hat * weight[i]);
      dx.push_back(inv_std * (g[i] * weight[i] - g_mean - x_hat * along));
    }
  }
};

void check_rows(std::int64_t rows, std::int64_t length, bool centred = true, bool affine = true) {
  std::mt19937 random(3);
  HostArray<float> x({rows, length}), g({rows, length}), y({rows, length}), dx({rows, length});
  HostArray<float> weight({length}), bias({length}), dweight({length}), dbias({length});
  HostArray<float> mean({rows}), inv({rows});
  HostArray<float> partial({cuda::norm_rows_workspace(rows, length, true)});
  x.randomize(random);
  g.randomize(random);
  weight.randomize(random);
  bias.randomize(random);
  const cuda::Array w = weight.array(), b = bias.array(), m = mean.array(), to_dx = dx.array(),
                    space = partial.array(), to_dweight = dweight.array(), to_dbias = dbias.array();
  const cuda::Array* const means = centred ? &m : nullptr;
  const auto with = [&](const cuda::Array& array) { return affine ? &array : nullptr; };
  const auto body = [&] {
    std::fill(partial.values.begin(), partial.values.end(), NAN);
    cuda::norm_rows(x.array(), with(w), with(b), eps, y.array(), means, inv.array(), nullptr);
    cuda::norm_rows_backward(g.array(), x.array(), with(w), means, inv.array(),
                             {&to_dx, with(to_dweight), with(to_dbias)}, with(space), nullptr);
    std::vector<double> to_weight(length), to_bias(length);
    for (std::int64_t i = 0; i < rows; ++i) {
      Plain plain;
      for (std::int64_t j = 0; j < length; ++j) {
        plain.x.push_back(x.at(i, j));
        plain.g.push_back(g.at(i, j));
        plain.weight.push_back(affine ? weight.at(j) : 1);
      }
      plain.run(centred);
      for (std::int64_t j = 0; j < length; ++j) {
        expect_close(y.at(i, j), plain.y[j] + (affine ? bias.at(j) : 0), 1e-4,
                     concat("y at ", i, ", ", j));
        expect_close(dx.at(i, j), plain.dx[j], 1e-4, concat("dx at ", i, ", ", j));
        to_weight[j] += g.at(i, j) * (x.at(i, j) - (centred ? mean.at(i) : 0)) * inv.at(i);
        to_bias[j] += g.at(i, j);
      }
    }
    for (std::int64_t j = 0; affine && j < length; ++j) {
      expect_close(dweight.at(j), to_weight[j], 1e-4, concat("dweight at ", j));
      expect_close(dbias.at(j), to_bias[j], 1e-4, concat("dbias at ", j));
    }
  };
  centred&& affine ? with_schedules(body) : with_seed({}, body);
}

void check_channels(std::int64_t n, std::int64_t c, std::int64_t s, std::int64_t groups,
                    std::vector<int> order) {
  std::mt19937 random(3);
  HostArray<float> x({n, c, s}, order), g({n, c, s}, order), y({n, c, s}, order);
  HostArray<float> dx({n, c, s}, order), weight({c}), dweight({c}), dbias({c});
  const std::int64_t statistics = groups ? n * groups : c;
  HostArray<float> mean({statistics}), inv({statistics}), means({2 * statistics});
  HostArray<float> partial({cuda::norm_channels_workspace(x.array(), groups)});
  x.randomize(random);
  g.randomize(random);
  weight.randomize(random);
  const cuda::Array w = weight.array(), to_dx = dx.array(), to_dweight = dweight.array(),
                    to_dbias = dbias.array();
  with_schedules([&] {
    cuda::norm_statistics(x.array(), groups, eps, mean.array(), nullptr, inv.array(),
                          partial.array(), nullptr);
    cuda::norm_apply(x.array(), groups, mean.array(), inv.array(), &w, nullptr, y.array(), nullptr);
    cuda::norm_channels_backward(g.array(), x.array(), groups, &w, mean.array(), inv.array(), true,
                                 {&to_dx, &to_dweight, &to_dbias}, partial.array(), means.array(),
                                 nullptr);
    std::vector<Plain> plain(statistics);
    std::vector<double> to_weight(c), to_bias(c);
    const auto statistic_of = [&](std::int64_t i, std::int64_t j) {
      return groups ? i * groups + j / (c / groups) : j;
    };
    const auto each = [&](auto&& body) {
      for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j < c; ++j)
          for (std::int64_t k = 0; k < s; ++k) body(i, j, k, statistic_of(i, j));
    };
    each([&](auto i, auto j, auto k, auto at) {
      plain[at].x.push_back(x.at(i, j, k));
      plain[at].g.push_back(g.at(i, j, k));
      plain[at].weight.push_back(weight.at(j));
      to_weight[j] += g.at(i, j, k) * (x.at(i, j, k) - mean.at(at)) * inv.at(at);
      to_bias[j] += g.at(i, j, k);
    });
    for (Plain& own : plain) own.run();
    std::vector<std::size_t> next(statistics);
    each([&](auto i, auto j, auto k, auto at) {
      const std::string where = concat(i, ", ", j, ", ", k);
      expect_close(y.at(i, j, k), plain[at].y[next[at]], 1e-4, "y at " + where);
      expect_close(dx.at(i, j, k), plain[at].dx[next[at]++], 1e-4, "dx at " + where);
    });
    for (std::int64_t j = 0; j < c; ++j) {
      expect_close(dweight.at(j), to_weight[j], 2e-4, concat("dweight at ", j));
      expect_close(dbias.at(j), to_bias[j], 2e-4, concat("dbias at ", j));
    }
  });
}

}  // namespace

TEST(norm_of_rows_of_warps_and_blocks) {
  check_rows(70, 5);
  check_rows(3, 64);
  check_rows(9, 1030);
}

TEST(norm_of_rows_beyond_a_block) { check_rows(2, 8196); }

TEST(norm_of_rows_that_are_not_centred_or_scaled) {
  for (const std::int64_t length : {5, 64, 1030, 8193}) {
    check_rows(9, length, false, true);
    check_rows(9, length, true, false);
  }
  check_rows(130, 33, false, true);
}

TEST(norm_of_batches) {
  check_channels(3, 4, 7, 0, {0, 1, 2});
  check_channels(2, 2, 2052, 0, {0, 1, 2});
  check_channels(70, 9, 3, 0, {0, 2, 1});
  check_channels(3, 35, 130, 0, {0, 2, 1});  // two blocks of channels, parts of a span
}

TEST(norm_of_groups) {
  check_channels(2, 6, 5, 3, {0, 1, 2});
  check_channels(3, 8, 4, 2, {0, 2, 1});
}

// Four channels: their arrays end where nobody may write.
TEST(norm_moves_running_statistics) {
  HostArray<float> mean({4}), variance({4}), running_mean({4}), running_var({4});
  for (std::int64_t i = 0; i < 4; ++i) {
    mean.at(i) = static_cast<float>(i);
    variance.at(i) = static_cast<float>(4 * i);
    running_mean.at(i) = running_var.at(i) = 8;
  }
  const cuda::Array to_mean = running_mean.array(), to_var = running_var.array();
  cuda::norm_update(&to_mean, &to_var, mean.array(), variance.array(), 0.25, 5, nullptr);
  for (std::int64_t i = 0; i < 4; ++i) {
    expect_close(running_mean.at(i), 6 + 0.25 * i, 1e-6, "running mean");
    expect_close(running_var.at(i), 6 + 1.25 * i, 1e-6, "running variance");  // unbiased: 5 / 4
  }
}

TEST(norm_of_an_empty_batch_has_no_mean) {
  HostArray<float> x({0, 4, 3}), mean({4}), variance({4}), inv({4});
  for (auto* array : {&mean, &variance, &inv}) std::fill_n(array->values.begin(), 4, 0.0f);
  HostArray<float> partial({cuda::norm_channels_workspace(x.array(), 0)});
  const cuda::Array to_variance = variance.array();
  cuda::norm_statistics(x.array(), 0, eps, mean.array(), &to_variance, inv.array(), partial.array(),
                        nullptr);
  for (auto* array : {&mean, &variance, &inv}) {
    for (const float value : array->values) EXPECT(std::isnan(value));
  }
}

TEST(norms_refuse_what_does_not_fit) {
  HostArray<float> x({3, 4}), y({4, 3}), mean({3}), inv({3});
  const cuda::Array m = mean.array();
  const auto refused = [&](const cuda::Array& out) {
    return message_of(
        [&] { cuda::norm_rows(x.array(), nullptr, nullptr, eps, out, &m, inv.array(), nullptr); });
  };
  expect_mentions(refused(y.array()), {"y must have shape [3, 4]", "[4, 3]"});
  expect_mentions(message_of([&] { cuda::norm_channels_workspace(x.array(), 3); }),
                  {"3 groups", "4 channels"});
}

// The choice at every threshold and beside it.
TEST(norm_rows_are_shared_out_by_the_problem) {
  using cuda::select_norm_rows, cuda::select_norm_rows_grad;
  expect_same(select_norm_rows(9, 512, 16).spell(),
              "held, 32 threads a row, 8 rows a block, 2 blocks");
  expect_same(select_norm_rows(8, 512, 16).spell(),
              "held, 32 threads a row, 8 rows a block, 1 blocks");
  expect_same(select_norm_rows(9, 513, 16).spell(),
              "held, 96 threads a row, 1 rows a block, 9 blocks");
  expect_same(select_norm_rows(9, 768, 16).spell(),
              "held, 96 threads a row, 1 rows a block, 9 blocks");
  expect_same(select_norm_rows(9, 769, 16).spell(),
              "held, 128 threads a row, 1 rows a block, 9 blocks");
  expect_same(select_norm_rows(9, 8192, 16).spell(),
              "held, 512 threads a row, 1 rows a block, 9 blocks");
  expect_same(select_norm_rows(9, 8193, 16).spell(),
              "streamed, 512 threads a row, 1 rows a block, 9 blocks");
  expect_same(select_norm_rows_grad(64, 256, 8).spell(),
              "held, 32 threads a row, 8 rows a block, 2 blocks");
  expect_same(select_norm_rows_grad(65, 256, 8).spell(),
              "held, 32 threads a row, 8 rows a block, 3 blocks");
  expect_same(select_norm_rows_grad(64, 257, 8).spell(),
              "held, 64 threads a row, 1 rows a block, 16 blocks");
  expect_same(select_norm_rows_grad(65, 512, 8).spell(),
              "held, 64 threads a row, 1 rows a block, 17 blocks");
  expect_same(select_norm_rows_grad(65, 513, 8).spell(),
              "held, 96 threads a row, 1 rows a block, 17 blocks");
  expect_same(select_norm_rows_grad(9, 4096, 8).spell(),
              "held, 512 threads a row, 1 rows a block, 3 blocks");
  expect_same(select_norm_rows_grad(9, 4097, 8).spell(),
              "streamed, 512 threads a row, 1 rows a block, 9 blocks");
  expect_same(select_norm_rows_grad(1 << 20, 256, 8).spell(),
              "held, 32 threads a row, 8 rows a block, 264 blocks");
  expect_same(select_norm_rows_grad(1 << 20, 512, 8).spell(),
              "held, 64 threads a row, 1 rows a block, 1056 blocks");
  expect_same(select_norm_rows_grad(1 << 20, 2048, 8).spell(),
              "held, 256 threads a row, 1 rows a block, 264 blocks");
  expect_same(select_norm_rows_grad(1 << 20, 2049, 8).spell(),
              "held, 288 threads a row, 1 rows a block, 264 blocks");
  expect_same(select_norm_rows_grad(1 << 20, 4096, 8).spell(),
              "held, 512 threads a row, 1 rows a block, 264 blocks");
  const std::pair<int, int> parts[] = {{0, 0},   {1, 1},     {64, 1},    {127, 1},
                                       {128, 2}, {4095, 63}, {4096, 64}, {5000, 64}};
  for (const auto& [rows, wanted] : parts) EXPECT(cuda::column_parts(rows) == wanted);
}

TEST(norm_channels_are_shared_out_by_the_problem) {
  const std::pair<cuda::ChannelProblem, const char*> rows[] = {
      {{7, 1, 256, 1, 7}, "along, 64 threads a channel, 1 parts of 256 elements a span"},
      {{8, 1, 256, 1, 8}, "across, 8 threads a channel, 4 parts of 64 elements a span"},
      {{8, 1, 256, 8, 8}, "along, 64 threads a channel, 1 parts of 256 elements a span"},
      {{8, 1, 127, 1, 8}, "across, 8 threads a channel, 1 parts of 127 elements a span"},
      {{8, 1, 128, 1, 8}, "across, 8 threads a channel, 2 parts of 64 elements a span"},
      {{33, 2, 1 << 16, 1, 33}, "across, 8 threads a channel, 128 parts of 512 elements a span"},
      {{32, 1, 1 << 16, 1, 32}, "across, 8 threads a channel, 512 parts of 128 elements a span"},
      {{4, 1, 4095, 4095, 1}, "along, 256 threads a channel, 1 parts of 4095 elements a span"},
      {{4, 1, 4096, 4096, 1}, "along, 256 threads a channel, 2 parts of 2048 elements a span"},
      {{4, 1, 4098, 4098, 1}, "along, 256 threads a channel, 2 parts of 2056 elements a span"},
      {{4, 1, 6150, 6150, 1}, "along, 256 threads a channel, 3 parts of 2056 elements a span"},
      {{4, 2, 1 << 20, 1 << 20, 1},
       "along, 256 threads a channel, 64 parts of 16384 elements a span"},
      {{257, 1, 1 << 20, 1 << 20, 1},
       "along, 256 threads a channel, 2 parts of 524288 elements a span"},
      {{512, 1, 1 << 20, 1 << 20, 1},
       "along, 256 threads a channel, 1 parts of 1048576 elements a span"},
      {{0, 1, 4096, 4096, 1}, "along, 256 threads a channel, 2 parts of 2048 elements a span"},
      {{4, 8, 1023, 1023, 1}, "along, 128 threads a channel, 1 parts of 1023 elements a span"},
      {{4, 8, 1024, 1024, 1}, "along, 256 threads a channel, 1 parts of 1024 elements a span"},
      {{4, 8, 512, 512, 1}, "along, 128 threads a channel, 1 parts of 512 elements a span"},
      {{4, 8, 256, 256, 1}, "along, 64 threads a channel, 1 parts of 256 elements a span"},
      {{4, 8, 127, 127, 1}, "along, 32 threads a channel, 1 parts of 127 elements a span"},
      {{4, 8, 128, 128, 1}, "along, 32 threads a channel, 1 parts of 128 elements a span"},
      {{4, 8, 1, 1, 1}, "along, 32 threads a channel, 1 parts of 1 elements a span"},
  };
  for (const auto& [problem, wanted] : rows)
    expect_same(cuda::select_channels(problem).spell(), wanted);
  EXPECT(cuda::select_channels({8, 1, 256, 1, 8}).channels_per_block == 32);
  EXPECT(cuda::select_channels({7, 1, 256, 1, 7}).channels_per_block == 1);
}
