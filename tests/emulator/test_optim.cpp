// Optimizer steps against plain loops, over tensors of several sizes and alignments.
#include "arrays.h"
#include "cuda/optim.h"

using namespace minidl;
using namespace minidl::testing;

namespace {

// Tensors of the given sizes, `arrays` arrays each, the first tensor one element off a pack.
struct Tensors {
  std::vector<std::vector<HostArray<float>>> values;
  std::vector<cuda::OptimTensor> table;
  std::int64_t chunks = 0;

  Tensors(const std::vector<std::int64_t>& sizes, int arrays) {
    std::mt19937 random(5);
    for (const std::int64_t size : sizes) {
      cuda::OptimTensor row = {};
      auto& own = values.emplace_back();
      for (int a = 0; a < arrays; ++a) own.emplace_back(std::vector{size + 1}).randomize(random);
      for (int a = 0; a < arrays; ++a)
        row.address[a] = reinterpret_cast<std::uint64_t>(own[a].values.data() + table.empty());
      row.size = size;
      row.first_chunk = chunks;
      chunks += (size + cuda::optim_chunk - 1) / cuda::optim_chunk;
      table.push_back(row);
    }
    cuda::OptimTensor end = {};
    end.first_chunk = chunks;
    table.push_back(end);
  }
  float& at(int tensor, int array, std::int64_t i) {
    return values[tensor][array].values.at(i + (tensor == 0));
  }
  cuda::OptimTable of(const double* options) const {
    return {table.data(), static_cast<std::int64_t>(values.size()), chunks, options};
  }
};

const std::vector<std::int64_t> sizes = {5, 0, 4099, 33};

}  // namespace

TEST(optim_sgd_follows_its_equation) {
  const double options[] = {0.1, 0.9, 0.5, 0.01};
  with_schedules([&] {
    Tensors tensors(sizes, 3), before = tensors;
    cuda::sgd_step(DType::float32, tensors.of(options), false, false, nullptr);
    for (int t = 0; t < static_cast<int>(sizes.size()); ++t) {
      for (std::int64_t i = 0; i < sizes[t]; ++i) {
        const double g = before.at(t, 1, i) + 0.01 * before.at(t, 0, i);
        const double buffer = 0.9 * before.at(t, 2, i) + 0.5 * g;
        const std::string where = concat("tensor ", t, " at ", i);
        expect_close(tensors.at(t, 2, i), buffer, 1e-6, where);
        expect_close(tensors.at(t, 0, i), before.at(t, 0, i) - 0.1 * buffer, 1e-6, where);
        EXPECT(tensors.at(t, 1, i) == before.at(t, 1, i));
      }
    }
  });
}

TEST(optim_adam_counts_its_steps) {
  const double options[] = {0.1, 0.9, 0.99, 1e-3, 0};
  with_schedules([&] {
    Tensors tensors({3, 70}, 4), before = tensors;
    for (auto* each : {&tensors, &before}) {
      for (auto& own : each->values) {
        for (int a : {2, 3}) std::fill(own[a].values.begin(), own[a].values.end(), 0.0f);
      }
    }
    std::vector<double> clocks = {1, 0, 0, 4, 0, 0};
    cuda::adam_step(DType::float32, tensors.of(options), clocks.data(), false, true, nullptr);
    EXPECT(clocks[0] == 2 && clocks[3] == 5);
    for (int t = 0; t < 2; ++t) {
      const double step = clocks[3 * t];
      for (std::int64_t i = 0; i < (t == 0 ? 3 : 70); ++i) {
        const double g = -before.at(t, 1, i), mean = 0.1 * g, square = 0.01 * g * g;
        const double root = std::sqrt(square / (1 - std::pow(0.99, step)));
        const double wanted =
            before.at(t, 0, i) - 0.1 * mean / (1 - std::pow(0.9, step)) / (root + 1e-3);
        expect_close(tensors.at(t, 0, i), wanted, 1e-5, concat("tensor ", t, " at ", i));
      }
    }
  });
}
