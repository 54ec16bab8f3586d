// What is decided before a launch: pure functions, tested without one.
#include <map>

#include "arrays.h"
#include "cuda/launch_shape.h"
#include "cuda/walk_plan.h"
#include "emulator/schedule.h"

using namespace minidl;
using namespace minidl::testing;

TEST(axes_of_a_walk_merge) {
  HostArray<float> a({4, 5, 6}), b({4, 5, 6}), turned({4, 5, 6}, {2, 1, 0}), row({6}),
      one({1, 1, 1});
  const auto walk = [](const cuda::Array& x, const cuda::Array& out) {
    return cuda::plan_walk<2>(out.shape, {&x, &out});
  };
  EXPECT(walk(a.array(), b.array()).dims == 1);
  EXPECT(walk(one.array(), b.array()).dims == 1);
  EXPECT(walk(row.array(), b.array()).dims == 2);
  EXPECT(walk(turned.array(), b.array()).dims == 3);
  EXPECT(walk(turned.array(), turned.array()).dims == 1);
  EXPECT(walk(one.array(), one.array()).dims == 0);
}

TEST(a_walk_visits_every_element_of_broadcast_arrays) {
  HostArray<float> a({3, 1, 5}), out({3, 4, 5}, {2, 0, 1});
  const cuda::Array x = a.array(), y = out.array();
  const auto walk = cuda::plan_walk<2>(y.shape, {&x, &y});
  std::map<std::int64_t, std::int64_t> met;
  for (std::int64_t i = 0; i < walk.count; ++i) met[walk.at(i).in[1]] = walk.at(i).in[0];
  EXPECT(met.size() == 60);
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 4; ++j) {
      for (int k = 0; k < 5; ++k)
        EXPECT(met.at(i * out.strides[0] + j * out.strides[1] + k * out.strides[2]) == i * 5 + k);
    }
  }
}

TEST(offsets_are_64_bit) {
  cuda::Array huge{nullptr, DType::float32, {3, std::int64_t{1} << 32}, {std::int64_t{1} << 33, 1}};
  const auto walk = cuda::plan_walk<1>(huge.shape, {&huge});
  EXPECT(walk.dims == 2 &&
         walk.at((std::int64_t{2} << 32) + 7).in[0] == (std::int64_t{2} << 33) + 7);
}

TEST(walks_of_too_many_axes_are_refused) {
  std::vector<std::int64_t> shape(9, 2);
  std::vector<int> order = {0, 2, 4, 6, 8, 1, 3, 5, 7};
  HostArray<float> a(shape), b(shape, order);
  const cuda::Array x = a.array(), y = b.array();
  expect_mentions(message_of([&] { cuda::plan_walk<2>(shape, {&x, &y}); }),
                  {"9 dimensions", "limit of 8"});
}

TEST(launches_beyond_the_limits_are_refused) {
  using cuda::check_launch;
  check_launch("k",
               {.grid = {2147483647, 65535, 65535}, .block = {32, 32}, .shared_bytes = 232448});
  const auto refused = [](const cuda::LaunchShape& shape) {
    return message_of([&] { check_launch("k", shape); });
  };
  expect_mentions(refused({.grid = {1, 65536}, .block = {1}}), {"kernel 'k'", "65536", "65535"});
  expect_mentions(refused({.grid = {1, 1, 65536}, .block = {1}}), {"65536"});
  expect_mentions(refused({.grid = {std::int64_t{1} << 31}, .block = {1}}), {"2147483648"});
  expect_mentions(refused({.grid = {1}, .block = {1025}}), {"1025", "1024"});
  expect_mentions(refused({.grid = {1}, .block = {64, 32}}), {"1024 threads"});
  expect_mentions(refused({.grid = {1}, .block = {32}, .shared_bytes = 232449}), {"232449"});
}

TEST(block_orders_visit_every_block_once) {
  for (const std::uint64_t count : {1, 2, 12, 97}) {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const emulator::BlockOrder order(count, {seed});
      std::map<std::uint64_t, int> visits;
      for (std::uint64_t i = 0; i < count; ++i) ++visits[order.at(i)];
      EXPECT(visits.size() == count && visits.rbegin()->first == count - 1);
    }
  }
}
