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
    EXPECT((places.values == std::vector<std::int64_t>{0, 1, 2, 2, 4, 4}));
    EXPECT(values.values[3] == 3 && std::isnan(values.values[5]));
    cuda::scan(cuda::Scan::min, x.array(), 0, values.array(), &to, nullptr, nullptr);
    EXPECT((places.values == std::vector<std::int64_t>{0, 0, 0, 0, 4, 4}));
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

TEST(scan_kernels_follow_the_problem) {
  using cuda::ScanConfig;
  EXPECT(cuda::select_scan({64, 1000, 1, 64}).algorithm == ScanConfig::across);
  EXPECT(cuda::select_scan({64, 2000, 2000, 1}).threads_per_row == 256);
  EXPECT(cuda::select_scan({1, 1 << 24, 0, 1}).parts == 256);
  expect_mentions(cuda::select_scan({64, 100, 100, 1}).spell(), {"along", "32 threads a row"});
}
