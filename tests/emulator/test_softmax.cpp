// Softmax against plain loops: every kernel, forward and backward.
#include "arrays.h"
#include "cuda/softmax.h"
#include "cuda/softmax_select.h"

using namespace minidl;
using namespace minidl::testing;

namespace {

void check_rows(std::int64_t rows, std::int64_t length, std::vector<int> order) {
  std::mt19937 random(3);
  HostArray<float> x({rows, length}, order), y({rows, length}, order), g({rows, length}, order);
  HostArray<float> dx({rows, length});
  x.randomize(random);
  g.randomize(random);
  with_schedules([&] {
    std::fill(y.values.begin(), y.values.end(), NAN);
    std::fill(dx.values.begin(), dx.values.end(), NAN);
    cuda::softmax(x.array(), 1, false, y.array(), nullptr);
    cuda::softmax_backward(g.array(), y.array(), 1, false, dx.array(), nullptr);
    for (std::int64_t i = 0; i < rows; ++i) {
      double sum = 0, along = 0;
      for (std::int64_t j = 0; j < length; ++j) sum += std::exp(x.at(i, j));
      for (std::int64_t j = 0; j < length; ++j) along += g.at(i, j) * std::exp(x.at(i, j)) / sum;
      for (std::int64_t j = 0; j < length; ++j) {
        const double wanted = std::exp(x.at(i, j)) / sum;
        expect_close(y.at(i, j), wanted, 1e-5, concat("softmax at ", i, ", ", j));
        expect_close(dx.at(i, j), wanted * (g.at(i, j) - along), 1e-5,
                     concat("gradient at ", i, ", ", j));
      }
    }
  });
}

}  // namespace

TEST(softmax_of_rows_in_registers) {
  check_rows(9, 7, {0, 1});
  check_rows(3, 64, {0, 1});
  check_rows(2, 1028, {0, 1});
}

TEST(softmax_across_rows) {
  check_rows(40, 5, {1, 0});
  check_rows(33, 70, {1, 0});
  check_rows(200, 5, {1, 0});  // a block and a part of one
}

TEST(softmax_of_rows_beyond_a_block) { check_rows(1, 16388, {0, 1}); }

TEST(softmax_refuses_what_does_not_fit) {
  HostArray<float> x({3, 4}), y({4, 3});
  const auto refused = [&](std::int64_t dim, const cuda::Array& out) {
    return message_of([&] { cuda::softmax(x.array(), dim, false, out, nullptr); });
  };
  expect_mentions(refused(0, y.array()), {"output", "[3, 4]", "[4, 3]"});
  expect_mentions(refused(2, x.array()), {"dim 2", "[3, 4]"});
}

// The choice at every threshold and beside it.
TEST(softmax_kernels_follow_the_problem) {
  const std::pair<cuda::SoftmaxProblem, const char*> rows[] = {
      {{8, 63, 1, 8, 16}, "across, 1 threads a row, 128 rows a block"},
      {{8, 64, 1, 8, 16}, "across, 8 threads a row, 32 rows a block"},
      {{7, 64, 1, 7, 16}, "held, 32 threads a row, 8 rows a block"},
      {{8, 64, 8, 8, 16}, "held, 32 threads a row, 8 rows a block"},
      {{8, 512, 512, 1, 16}, "held, 32 threads a row, 8 rows a block"},
      {{8, 513, 513, 1, 16}, "held, 96 threads a row, 1 rows a block"},
      {{8, 768, 768, 1, 16}, "held, 96 threads a row, 1 rows a block"},
      {{8, 769, 769, 1, 16}, "held, 128 threads a row, 1 rows a block"},
      {{8, 8193, 1, 1, 16}, "held, 1024 threads a row, 1 rows a block"},
      {{8, 16384, 1, 1, 16}, "held, 1024 threads a row, 1 rows a block"},
      {{8, 16385, 1, 1, 16}, "streamed, 1024 threads a row, 1 rows a block"},
  };
  for (const auto& [problem, wanted] : rows)
    expect_same(cuda::select_softmax(problem).spell(), wanted);
}
