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

  void run() {
    const double n = static_cast<double>(x.size());
    double mean = 0, variance = 0, g_mean = 0, along = 0;
    for (const double v : x) mean += v / n;
    for (const double v : x) variance += (v - mean) * (v - mean) / n;
    const double inv_std = 1 / std::sqrt(variance + eps);
    for (std::size_t i = 0; i < x.size(); ++i) {
      g_mean += g[i] * weight[i] / n;
      along += g[i] * weight[i] * (x[i] - mean) * inv_std / n;
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double x_hat = (x[i] - mean) * inv_std;
      y.push_back(x_hat * weight[i]);
      dx.push_back(inv_std * (g[i] * weight[i] - g_mean - x_hat * along));
    }
  }
};

void check_rows(std::int64_t rows, std::int64_t length) {
  std::mt19937 random(3);
  HostArray<float> x({rows, length}), g({rows, length}), y({rows, length}), dx({rows, length});
  HostArray<float> weight({length}), dweight({length}), dbias({length}), mean({rows}), inv({rows});
  HostArray<float> partial({cuda::norm_rows_workspace(rows, length, true)});
  x.randomize(random);
  g.randomize(random);
  weight.randomize(random);
  const cuda::Array w = weight.array(), m = mean.array(), to_dx = dx.array(),
                    space = partial.array(), to_dweight = dweight.array(), to_dbias = dbias.array();
  with_schedules([&] {
    std::fill(partial.values.begin(), partial.values.end(), NAN);
    cuda::norm_rows(x.array(), &w, nullptr, eps, y.array(), &m, inv.array(), nullptr);
    cuda::norm_rows_backward(g.array(), x.array(), &w, &m, inv.array(),
                             {&to_dx, &to_dweight, &to_dbias}, &space, nullptr);
    std::vector<double> to_weight(length), to_bias(length);
    for (std::int64_t i = 0; i < rows; ++i) {
      Plain plain;
      for (std::int64_t j = 0; j < length; ++j) {
        plain.x.push_back(x.at(i, j));
        plain.g.push_back(g.at(i, j));
        plain.weight.push_back(weight.at(j));
      }
      plain.run();
      for (std::int64_t j = 0; j < length; ++j) {
        expect_close(y.at(i, j), plain.y[j], 1e-4, concat("y at ", i, ", ", j));
        expect_close(dx.at(i, j), plain.dx[j], 1e-4, concat("dx at ", i, ", ", j));
        to_weight[j] += g.at(i, j) * (x.at(i, j) - mean.at(i)) * inv.at(i);
        to_bias[j] += g.at(i, j);
      }
    }
    for (std::int64_t j = 0; j < length; ++j) {
      expect_close(dweight.at(j), to_weight[j], 1e-4, concat("dweight at ", j));
      expect_close(dbias.at(j), to_bias[j], 1e-4, concat("dbias at ", j));
    }
  });
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

TEST(norm_of_batches) {
  check_channels(3, 4, 7, 0, {0, 1, 2});
  check_channels(2, 2, 2052, 0, {0, 1, 2});
  check_channels(70, 9, 3, 0, {0, 2, 1});
}

TEST(norm_of_groups) {
  check_channels(2, 6, 5, 3, {0, 1, 2});
  check_channels(3, 8, 4, 2, {0, 2, 1});
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

TEST(norm_kernels_follow_the_problem) {
  EXPECT(cuda::select_norm_rows(64, 768, 16).threads_per_row == 96);
  EXPECT(!cuda::select_norm_rows(64, 8200, 16).held);
  EXPECT(cuda::select_norm_rows_grad(8192, 1024, 8).blocks <= 1056);
  EXPECT(cuda::select_channels({64, 1, 100000, 1, 64}).across);
  EXPECT(cuda::select_channels({4, 1, 1 << 20, 64, 1}).parts_per_span == 128);
  expect_mentions(cuda::select_norm_rows(8, 100, 16).spell(), {"held", "32 threads a row"});
  expect_mentions(cuda::select_channels({4, 8, 49, 49, 1}).spell(), {"along", "32 threads"});
}
