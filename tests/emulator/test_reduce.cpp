// Reductions against plain loops in double, over any axes, strides and dtypes.
#include "arrays.h"
#include "cuda/reduce.h"
#include "cuda/reduce_select.h"

using namespace minidl;
using namespace minidl::testing;

TEST(sums_over_any_axes) {
  std::mt19937 random(5);
  const std::vector<std::vector<std::int64_t>> choices = {{},     {0},    {1},    {2},
                                                          {0, 1}, {0, 2}, {1, 2}, {2, 1, 0}};
  for (const auto& order : std::vector<std::vector<int>>{{0, 1, 2}, {2, 0, 1}, {1, 2, 0}}) {
    HostArray<float> input({5, 66, 7}, order);
    input.randomize(random);
    for (const auto& dims : choices) {
      std::vector<std::int64_t> shape, position(3);
      std::vector<bool> gone(3);
      for (const auto dim : dims) gone[dim] = true;
      for (int d = 0; d < 3; ++d) {
        if (!gone[d]) shape.push_back(input.shape[d]);
      }
      HostArray<float> out(shape);
      std::vector<double> wanted(out.values.size());
      for (int i = 0; i < 5 * 66 * 7; ++i) {
        position = {i / 462, i / 7 % 66, i % 7};
        std::int64_t offset = 0;
        for (int d = 0; d < 3; ++d) {
          if (!gone[d]) offset = offset * input.shape[d] + position[d];
        }
        wanted[offset] += input.at(position[0], position[1], position[2]);
      }
      with_schedules([&] {
        std::fill(out.values.begin(), out.values.end(), NAN);
        cuda::reduce(cuda::Reduction::sum, input.array(), dims, out.array(), nullptr, nullptr);
        for (std::size_t i = 0; i < wanted.size(); ++i)
          expect_close(out.values[i], wanted[i], 1e-4, "sum");
      });
    }
  }
  HostArray<float> none({3, 0}), zeros({3});
  cuda::reduce(cuda::Reduction::sum, none.array(), {1}, zeros.array(), nullptr, nullptr);
  for (const float value : zeros.values) EXPECT(value == 0);
}

TEST(long_sums_are_added_in_parts) {
  std::mt19937 random(9);
  HostArray<float> input({3, 20011}, {1, 0}), across({3}), row({70003}), along({});
  for (auto* array : {&input, &row}) array->randomize(random);
  double wanted[4] = {};
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 20011; ++j) wanted[i] += input.at(i, j);
  }
  for (const float value : row.values) wanted[3] += value;
  const auto sum = [](HostArray<float>& from, std::int64_t dim, HostArray<float>& to) {
    HostArray<double> workspace({cuda::reduce_workspace(from.array(), {dim})});
    EXPECT(workspace.shape[0] > to.array().count());
    const cuda::Array array = workspace.array();
    cuda::reduce(cuda::Reduction::sum, from.array(), {dim}, to.array(), &array, nullptr);
  };
  with_schedules([&] {
    sum(input, 1, across);
    sum(row, 0, along);
    for (int i = 0; i < 3; ++i) expect_close(across.at(i), wanted[i], 2e-3, "across");
    expect_close(along.values[0], wanted[3], 2e-3, "along");
  });
  expect_mentions(message_of([&] {
                    cuda::reduce(cuda::Reduction::sum, row.array(), {0}, along.array(), nullptr,
                                 nullptr);
                  }),
                  {"workspace"});
}

namespace {

// A reduction of all elements of one axis, in parts where it wants them.
template <class T, class Out>
Out reduced(cuda::Reduction reduction, HostArray<T>& input) {
  std::vector<Out> out(1);
  HostArray<double> workspace({cuda::reduce_workspace(input.array(), {0})});
  const cuda::Array array = workspace.array();
  cuda::Array result{out.data(), dtype_of<Out>(), {}, {}};
  const bool truth = reduction == cuda::Reduction::any || reduction == cuda::Reduction::all;
  if (truth) result.dtype = DType::boolean;
  cuda::reduce(reduction, input.array(), {0}, result, &array, nullptr);
  return out[0];
}

}  // namespace

TEST(reductions_of_every_kind) {
  using enum cuda::Reduction;
  HostArray<float> x({9});
  x.values = {3, -1, 7, 0, 7, -2, -2, 0.5f, 1};
  with_schedules([&] {
    EXPECT((reduced<float, float>(sum, x)) == 13.5f);
    EXPECT((reduced<float, float>(sum_squares, x)) == 117.25f);
    EXPECT((reduced<float, float>(prod, x)) == 0);
    EXPECT((reduced<float, float>(amax, x)) == 7 && (reduced<float, float>(amin, x)) == -2);
    EXPECT((reduced<float, std::int64_t>(argmax, x)) == 2);
    EXPECT((reduced<float, std::int64_t>(argmin, x)) == 5);
    EXPECT((reduced<float, std::uint8_t>(any, x)) && !(reduced<float, std::uint8_t>(all, x)));
    EXPECT((reduced<float, std::int64_t>(count_nonzero, x)) == 8);
    double wanted = 0;
    for (const float value : x.values) wanted += std::exp(static_cast<double>(value));
    expect_close(reduced<float, float>(logsumexp, x), std::log(wanted), 1e-6, "logsumexp");
  });
  HostArray<std::int32_t> n({3});
  n.values = {5, -2147483647 - 1, 2147483647};
  EXPECT((reduced<std::int32_t, std::int32_t>(amin, n)) == -2147483647 - 1);
  EXPECT((reduced<std::int32_t, std::int64_t>(argmax, n)) == 2);
  HostArray<std::int64_t> wide({2});
  wide.values = {INT64_MAX, 1};
  EXPECT((reduced<std::int64_t, std::int64_t>(sum, wide)) == INT64_MIN);
}

TEST(a_nan_wins_every_reduction) {
  using enum cuda::Reduction;
  HostArray<double> x({70001});
  std::fill(x.values.begin(), x.values.end(), 1.0);
  x.values[60000] = x.values[65000] = NAN;
  with_schedules([&] {
    EXPECT(std::isnan(reduced<double, double>(amax, x)));
    EXPECT(std::isnan(reduced<double, double>(amin, x)));
    EXPECT((reduced<double, std::int64_t>(argmax, x)) == 60000);
    EXPECT((reduced<double, std::int64_t>(argmin, x)) == 60000);
    EXPECT(std::isnan(reduced<double, double>(logsumexp, x)));
  });
}

TEST(reductions_read_packs_from_any_element_on) {
  HostArray<Half> x({3000});
  for (std::size_t i = 0; i < x.values.size(); ++i) x.values[i] = Half(static_cast<float>(i % 5));
  for (const std::int64_t first : {0, 1, 3, 7}) {
    for (const std::int64_t count : {0, 1, 6, 8, 9, 1025, 2500}) {
      cuda::Array part = x.array();
      part.data = x.values.data() + first;
      part.shape = {count};
      float wanted = 0;
      for (std::int64_t i = 0; i < count; ++i) wanted += x.values[first + i];
      HostArray<Half> out({});
      cuda::reduce(cuda::Reduction::sum, part, {0}, out.array(), nullptr, nullptr);
      EXPECT(out.values[0] == static_cast<float>(Half(wanted)));
    }
  }
}

TEST(reductions_refuse_what_does_not_fit) {
  HostArray<float> x({3, 4}), out({3}), none({3, 0});
  HostArray<std::int64_t> place({3});
  const auto refused = [](cuda::Reduction reduction, const cuda::Array& from,
                          const cuda::Array& to) {
    return message_of([&] { cuda::reduce(reduction, from, {1}, to, nullptr, nullptr); });
  };
  expect_mentions(refused(cuda::Reduction::argmax, x.array(), out.array()), {"int64", "float32"});
  expect_mentions(refused(cuda::Reduction::sum, x.array(), x.array()), {"[3, 1]", "[3, 4]"});
  expect_mentions(refused(cuda::Reduction::amax, none.array(), out.array()), {"[3, 0]"});
}

// The choice at every threshold and beside it.
TEST(reduction_kernels_follow_the_problem) {
  const std::pair<cuda::ReduceProblem, const char*> rows[] = {
      {{2, 17, 1, 2}, "across, 1 threads an output, 32 outputs a block, 1 parts"},
      {{2, 17, 2, 2}, "along, 32 threads an output, 4 outputs a block, 1 parts"},
      {{2, 16, 16, 1}, "across, 1 threads an output, 32 outputs a block, 1 parts"},
      {{2, 17, 17, 1}, "along, 32 threads an output, 4 outputs a block, 1 parts"},
      {{1, 16, 0, 1}, "along, 32 threads an output, 4 outputs a block, 1 parts"},
      {{4095, 63, 1, 4095}, "across, 1 threads an output, 32 outputs a block, 1 parts"},
      {{4096, 63, 1, 4096}, "across, 1 threads an output, 128 outputs a block, 1 parts"},
      {{4096, 64, 1, 4096}, "across, 8 threads an output, 32 outputs a block, 1 parts"},
      {{8, 1024, 1024, 1}, "along, 32 threads an output, 4 outputs a block, 1 parts"},
      {{8, 1025, 1025, 1}, "along, 256 threads an output, 1 outputs a block, 1 parts"},
      {{1, 16383, 0, 1}, "along, 256 threads an output, 1 outputs a block, 1 parts"},
      {{1, 16384, 0, 1}, "along, 256 threads an output, 1 outputs a block, 2 parts"},
      {{3, 1 << 24, 1 << 24, 1}, "along, 256 threads an output, 1 outputs a block, 170 parts"},
      {{256, 1 << 20, 1 << 20, 1}, "along, 256 threads an output, 1 outputs a block, 2 parts"},
      {{257, 1 << 20, 1 << 20, 1}, "along, 256 threads an output, 1 outputs a block, 1 parts"},
      {{1, 1 << 24, 0, 1}, "along, 256 threads an output, 1 outputs a block, 256 parts"},
      {{0, 1 << 24, 0, 1}, "along, 256 threads an output, 1 outputs a block, 1 parts"},
      {{32, 511, 1, 32}, "across, 8 threads an output, 32 outputs a block, 1 parts"},
      {{32, 512, 1, 32}, "across, 8 threads an output, 32 outputs a block, 2 parts"},
      {{33, 1 << 16, 1, 33}, "across, 8 threads an output, 32 outputs a block, 256 parts"},
  };
  for (const auto& [problem, wanted] : rows)
    expect_same(cuda::select_reduce(problem).spell(), wanted);
}
