// Scans against plain loops, in one part and in several.
#include "arrays.h"
#include "cuda/scan.h"
#include "cuda/scan_select.h"

using namespace minidl;
using namespace minidl::testing;

namespace {

void check_sums(std::int64_t rows, std::int64_t length, std::vector<int> order) {
  std::mt19937 random(7);
  HostArray<float> x({rows, length}, order), out({rows, length});
  x.randomize(random);
  HostArray<double> workspace({cuda::scan_workspace(x.array(), 1)});
  const cuda::Array space = workspace.array();
  with_schedules([&] {
    std::fill(out.values.begin(), out.values.end(), NAN);
    cuda::scan(cuda::Scan::sum, x.array(), 1, out.array(), nullptr, &space, nullptr);
    for (std::int64_t i = 0; i < rows; ++i) {
      double wanted = 0;
      for (std::int64_t j = 0; j < length; ++j) {
        wanted += x.at(i, j);
        expect_close(out.at(i, j), wanted, 1e-3, concat("cumsum at ", i, ", ", j));
      }
    }
  });
}

}  // namespace

TEST(scans_of_rows_and_columns) {
  for (const auto& order : std::vector<std::vector<int>>{{0, 1}, {1, 0}}) {
    check_sums(5, 7, order);
    check_sums(3, 129, order);
    check_sums(2, 1300, order);
    check_sums(131, 9, order);  // a block and a part of one
  }
}

TEST(long_scans_are_done_in_parts) {
  check_sums(1, 9001, {0, 1});
  check_sums(3, 4500, {1, 0});
}

TEST(running_maxima_tell_where_they_stand) {
  HostArray<double> x({6}), values({6});
  HostArray<std::int64_t> places({6});
  x.values = {1, 3, 3, 2, NAN, 5};
  const cuda::Array to = places.array();
  with_schedules([&] {
    cuda::scan(cuda::Scan::max, x.array(), 0, values.array(), &to, nullptr, nullptr);
    EXPECT((places.values == Values<std::int64_t>{0, 1, 2, 2, 4, 4}));
    EXPECT(values.values[3] == 3 && std::isnan(values.values[5]));
    cuda::scan(cuda::Scan::min, x.array(), 0, values.array(), &to, nullptr, nullptr);
    EXPECT((places.values == Values<std::int64_t>{0, 0, 0, 0, 4, 4}));
  });
}

TEST(scans_refuse_what_does_not_fit) {
  HostArray<float> x({3, 4}), out({4, 3});
  const auto refused = [](const cuda::Array& from, std::int64_t dim, const cuda::Array& to) {
    return message_of(
        [&] { cuda::scan(cuda::Scan::sum, from, dim, to, nullptr, nullptr, nullptr); });
  };
  expect_mentions(refused(x.array(), 0, out.array()), {"[3, 4]", "[4, 3]"});
  expect_mentions(refused(x.array(), 2, x.array()), {"dim 2", "[3, 4]"});
}

// The choice at every threshold and beside it.
TEST(scan_kernels_follow_the_problem) {
  const std::pair<cuda::ScanProblem, const char*> rows[] = {
      {{2, 9, 1, 2}, "across, 1 threads a row, 128 rows a block, 1 parts"},
      {{2, 9, 2, 2}, "along, 32 threads a row, 4 rows a block, 1 parts"},
      {{2, 8, 8, 1}, "across, 1 threads a row, 128 rows a block, 1 parts"},
      {{2, 9, 9, 1}, "along, 32 threads a row, 4 rows a block, 1 parts"},
      {{1, 8, 0, 1}, "along, 32 threads a row, 4 rows a block, 1 parts"},
      {{1, 512, 0, 1}, "along, 32 threads a row, 4 rows a block, 1 parts"},
      {{1, 513, 0, 1}, "along, 256 threads a row, 1 rows a block, 1 parts"},
      {{1, 8191, 0, 1}, "along, 256 threads a row, 1 rows a block, 1 parts"},
      {{1, 8192, 0, 1}, "along, 256 threads a row, 1 rows a block, 2 parts"},
      {{3, 1 << 24, 1 << 24, 1}, "along, 256 threads a row, 1 rows a block, 170 parts"},
      {{4, 512, 512, 1}, "along, 32 threads a row, 4 rows a block, 1 parts"},
      {{5, 1 << 20, 1 << 20, 1}, "along, 256 threads a row, 1 rows a block, 102 parts"},
      {{256, 1 << 20, 1 << 20, 1}, "along, 256 threads a row, 1 rows a block, 2 parts"},
      {{257, 1 << 20, 1 << 20, 1}, "along, 256 threads a row, 1 rows a block, 1 parts"},
      {{1, 1 << 24, 0, 1}, "along, 256 threads a row, 1 rows a block, 256 parts"},
      {{0, 1 << 24, 0, 1}, "along, 256 threads a row, 1 rows a block, 1 parts"},
      {{128, 127, 1, 128}, "across, 1 threads a row, 128 rows a block, 1 parts"},
      {{128, 128, 1, 128}, "across, 1 threads a row, 128 rows a block, 2 parts"},
      {{129, 1 << 16, 1, 129}, "across, 1 threads a row, 128 rows a block, 256 parts"},
      {{128, 1 << 16, 1, 128}, "across, 1 threads a row, 128 rows a block, 256 parts"},
  };
  for (const auto& [problem, wanted] : rows)
    expect_same(cuda::select_scan(problem).spell(), wanted);
}
