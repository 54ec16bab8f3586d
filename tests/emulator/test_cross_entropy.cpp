// Cross entropy and nll_loss against plain loops: every way to share out the classes.
#include "arrays.h"
#include "cuda/cross_entropy.h"
#include "cuda/cross_entropy_select.h"

using namespace minidl;
using namespace minidl::testing;

namespace {

constexpr double smoothing = 0.25;

// Samples in rows; `order` says which axis is dense. Sample 1 is ignored, the targets count up.
void check_samples(std::int64_t samples, std::int64_t classes, std::vector<int> order) {
  std::mt19937 random(3);
  HostArray<float> x({samples, classes}, order), dx({samples, classes}, order);
  HostArray<float> weight({classes}), loss(std::vector<std::int64_t>{});
  HostArray<float> total(std::vector<std::int64_t>{}), g(std::vector<std::int64_t>{});
  HostArray<double> logs({samples}), partial({2 * samples});
  HostArray<std::int64_t> target({samples});
  x.randomize(random);
  for (std::int64_t c = 0; c < classes; ++c) weight.at(c) = 0.5f + static_cast<float>(c % 3);
  for (std::int64_t i = 0; i < samples; ++i) target.at(i) = i == 1 ? -100 : (i * 7) % classes;
  g.values[0] = 2;
  const cuda::Array targets = target.array(), weights = weight.array();
  cuda::FaultRecord record = {};
  const cuda::ClassTargets told{targets,   &weights, -100, cuda::LossReduction::mean,
                                smoothing, &record};
  double sum = 0, own = 0, all = 0;
  for (const float w : weight.values) all += w;
  std::vector<double> log_sum(samples);
  for (std::int64_t i = 0; i < samples; ++i) {
    for (std::int64_t c = 0; c < classes; ++c) log_sum[i] += std::exp(x.at(i, c));
    log_sum[i] = std::log(log_sum[i]);
    if (i == 1) continue;
    const double w = weight.at(target.at(i));
    own += w;
    sum += (1 - smoothing) * w * (log_sum[i] - x.at(i, target.at(i)));
    for (std::int64_t c = 0; c < classes; ++c)
      sum += smoothing / classes * weight.at(c) * (log_sum[i] - x.at(i, c));
  }
  with_schedules([&] {
    cuda::cross_entropy(x.array(), told, loss.array(), logs.array(), total.array(), partial.array(),
                        nullptr);
    expect_close(loss.values[0], sum / own, 1e-5, "loss");
    expect_close(total.values[0], own, 1e-6, "total");
    cuda::cross_entropy_backward(g.array(), x.array(), told, logs.array(), total.array(),
                                 dx.array(), nullptr);
    for (std::int64_t i = 0; i < samples; ++i) {
      for (std::int64_t c = 0; c < classes; ++c) {
        const double w = i == 1 ? 0 : weight.at(target.at(i));
        double wanted =
            std::exp(x.at(i, c) - log_sum[i]) * ((1 - smoothing) * w + smoothing / classes * all) -
            smoothing / classes * weight.at(c);
        if (c == target.at(i)) wanted -= (1 - smoothing) * w;
        expect_close(dx.at(i, c), i == 1 ? 0 : 2 * wanted / own, 1e-5,
                     concat("gradient at ", i, ", ", c));
      }
    }
    EXPECT(record.claimed == 0);
  });
}

}  // namespace

TEST(cross_entropy_of_warps_and_blocks) {
  check_samples(9, 7, {0, 1});
  check_samples(3, 64, {0, 1});
  check_samples(2, 1028, {0, 1});
}

TEST(cross_entropy_of_samples_that_are_neighbours) {
  check_samples(33, 5, {1, 0});
  check_samples(130, 5, {1, 0});  // a block and a part of one
  check_samples(34, 70, {1, 0});
}

TEST(cross_entropy_notes_a_bad_target) {
  HostArray<float> x({3, 3}), loss({3}), total(std::vector<std::int64_t>{});
  HostArray<double> partial({6});
  HostArray<std::int64_t> target({3});
  x.values = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  target.values = {2, 3, 0};
  const cuda::Array targets = target.array();
  cuda::FaultRecord record = {};
  cuda::nll_loss(x.array(), {targets, nullptr, -100, cuda::LossReduction::none, 0, &record},
                 loss.array(), total.array(), partial.array(), nullptr);
  EXPECT((loss.values == Values<float>{-3, 0, -7}) && total.values[0] == 2);
  EXPECT(record.claimed == 1 && record.index == 3 && record.size == 3);
  HostArray<std::int64_t> wrong({2});
  const cuda::Array two = wrong.array();
  expect_mentions(message_of([&] {
                    cuda::nll_loss(x.array(),
                                   {two, nullptr, -100, cuda::LossReduction::sum, 0, &record},
                                   loss.array(), total.array(), partial.array(), nullptr);
                  }),
                  {"target", "[2]", "[3]"});
}

// The choice at every threshold and beside it.
TEST(cross_entropy_shares_classes_by_the_problem) {
  const std::pair<cuda::ClassProblem, const char*> rows[] = {
      {{8, 63, 1, 8}, "across, 1 threads a sample, 128 samples a block"},
      {{8, 64, 1, 8}, "across, 8 threads a sample, 32 samples a block"},
      {{7, 64, 1, 7}, "along, 32 threads a sample, 8 samples a block"},
      {{8, 64, 8, 8}, "along, 32 threads a sample, 8 samples a block"},
      {{8, 1024, 1024, 1}, "along, 32 threads a sample, 8 samples a block"},
      {{8, 1025, 1025, 1}, "along, 256 threads a sample, 1 samples a block"},
      {{8, 8192, 8192, 1}, "along, 256 threads a sample, 1 samples a block"},
      {{8, 8193, 8193, 1}, "along, 1024 threads a sample, 1 samples a block"},
  };
  for (const auto& [problem, wanted] : rows)
    expect_same(cuda::select_classes(problem).spell(), wanted);
  const cuda::ClassConfig eight{false, 32, 8};
  EXPECT(eight.blocks(0) == 0 && eight.blocks(1) == 1 && eight.blocks(8) == 1 &&
         eight.blocks(9) == 2);
}
