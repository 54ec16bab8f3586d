// Elementwise kernels against plain loops: every layout that the packed kernel takes and some that
// it must leave to the strided one.
#include "arrays.h"
#include "cuda/elementwise.h"
#include "cuda/elementwise_select.h"
#include "cuda/walk_plan.h"

using namespace minidl;
using namespace minidl::testing;
using cuda::ElementwiseOp;

namespace {

void binary(ElementwiseOp op, const cuda::Operand& a, const cuda::Operand& b,
            const cuda::Array& out) {
  const cuda::Operand inputs[] = {a, b};
  cuda::elementwise(op, inputs, nullptr, out, nullptr);
}
void unary(ElementwiseOp op, const cuda::Array& a, const cuda::Array& out) {
  const cuda::Operand inputs[] = {{a}};
  cuda::elementwise(op, inputs, nullptr, out, nullptr);
}

// a - b with the row broadcast along an axis of `out`.
template <class T>
void check_broadcast(HostArray<T>& a, HostArray<T>& b, HostArray<T>& out, int axis) {
  std::mt19937 random(1);
  a.randomize(random);
  b.randomize(random);
  with_schedules([&] {
    std::fill(out.values.begin(), out.values.end(), T(NAN));
    cuda::Array row = b.array();
    row.shape.assign(3, 1);
    row.strides.assign(3, 0);
    row.shape[axis] = b.shape[0];
    row.strides[axis] = 1;
    binary(ElementwiseOp::sub, {a.array()}, {row}, out.array());
    for (int i = 0; i < out.shape[0]; ++i) {
      for (int j = 0; j < out.shape[1]; ++j) {
        for (int k = 0; k < out.shape[2]; ++k) {
          const int place[] = {i, j, k};
          const T wanted(static_cast<float>(a.at(i, j, k)) - static_cast<float>(b.at(place[axis])));
          EXPECT(static_cast<float>(out.at(i, j, k)) == static_cast<float>(wanted));
        }
      }
    }
  });
}

}  // namespace

TEST(elementwise_broadcasts_rows_and_columns_in_packs_and_without) {
  for (const int inner : {24, 7}) {
    for (int axis = 0; axis < 3; ++axis) {
      for (const std::vector<int>& order : {std::vector<int>{}, {1, 2, 0}, {2, 0, 1}}) {
        HostArray<float> a({5, 3, inner}, order), out({5, 3, inner}, order);
        HostArray<float> b({out.shape[axis]});
        check_broadcast(a, b, out, axis);
        HostArray<BFloat16> c({5, 3, inner}, order), narrow({5, 3, inner}, order);
        HostArray<BFloat16> d({out.shape[axis]});
        check_broadcast(c, d, narrow, axis);
      }
    }
  }
}

TEST(elementwise_serves_every_count_of_elements) {
  for (const int count : {0, 1, 7, 8, 9, 300, 2048 + 3}) {
    HostArray<Half> a({count}), out({count});
    for (int i = 0; i < count; ++i) a.at(i) = Half(static_cast<float>(i % 100));
    with_schedules([&] {
      unary(ElementwiseOp::neg, a.array(), out.array());
      for (int i = 0; i < count; ++i) EXPECT(static_cast<float>(out.at(i)) == -(i % 100));
    });
  }
}

TEST(elementwise_takes_numbers_reversed_arrays_and_its_own_output) {
  std::mt19937 random(2);
  HostArray<double> a({301});
  a.randomize(random);
  const auto before = a.values;
  cuda::Array reversed = a.array();
  reversed.data = &a.values.back();
  reversed.strides = {-1};
  HostArray<double> out({301});
  binary(ElementwiseOp::mul, {reversed}, {{}, {0.5, 0}}, out.array());
  for (int i = 0; i < 301; ++i) EXPECT(out.at(i) == before[300 - i] * 0.5);
  with_schedules([&] {
    a.values = before;
    unary(ElementwiseOp::exp, a.array(), a.array());
    for (int i = 0; i < 301; ++i) expect_close(a.at(i), std::exp(before[i]), 1e-14, "exp");
  });
  HostArray<float> x({83});
  x.randomize(random);
  const auto held = x.values;
  with_schedules([&] {
    x.values = held;
    binary(ElementwiseOp::add, {x.array()}, {x.array()}, x.array());
    for (int i = 0; i < 83; ++i) EXPECT(x.at(i) == held[i] + held[i]);
  });
}

TEST(elementwise_mixes_the_dtypes_of_a_family) {
  HostArray<Half> a({19});
  HostArray<float> b({19}), sum({19});
  HostArray<std::uint8_t> less({19});
  cuda::Array truths = less.array();
  truths.dtype = DType::boolean;
  for (int i = 0; i < 19; ++i) a.at(i) = Half(static_cast<float>(i)), b.at(i) = 9.5f;
  binary(ElementwiseOp::add, {a.array()}, {b.array()}, sum.array());
  binary(ElementwiseOp::lt, {a.array()}, {b.array()}, truths);
  for (int i = 0; i < 19; ++i) {
    EXPECT(sum.at(i) == static_cast<float>(i) + 9.5f);
    EXPECT(less.values[i] == (i < 10));
  }
}

TEST(elementwise_integers_wrap_around_and_divide_by_anything) {
  HostArray<std::int64_t> a({4}), b({4}), out({4});
  a.values = {INT64_MIN, INT64_MIN, 7, -7};
  b.values = {-1, 0, -2, 2};
  binary(ElementwiseOp::floor_divide, {a.array()}, {b.array()}, out.array());
  EXPECT((out.values == Values<std::int64_t>{INT64_MIN, 0, -4, -4}));
  binary(ElementwiseOp::remainder, {a.array()}, {b.array()}, out.array());
  EXPECT((out.values == Values<std::int64_t>{0, 0, -1, 1}));
  binary(ElementwiseOp::add, {a.array()}, {b.array()}, out.array());
  EXPECT(out.at(0) == INT64_MAX);
}

TEST(elementwise_refuses_what_does_not_fit) {
  HostArray<float> a({2, 3}), b({4}), out({2, 3});
  HostArray<double> wide({2, 3});
  const auto refused = [&](ElementwiseOp op, const cuda::Array& y, const cuda::Array& result) {
    return message_of([&] { binary(op, {a.array()}, {y}, result); });
  };
  expect_mentions(refused(ElementwiseOp::add, b.array(), out.array()), {"[4]", "[2, 3]"});
  expect_mentions(refused(ElementwiseOp::add, wide.array(), out.array()), {"float32", "float64"});
  expect_mentions(refused(ElementwiseOp::eq, a.array(), out.array()), {"eq", "float32"});
  expect_mentions(refused(ElementwiseOp::bitwise_and, a.array(), out.array()), {"bitwise_and"});
}

TEST(packs_need_dense_aligned_neighbours) {
  HostArray<float> a({6, 16}), row({16}), column({6, 1}), ragged({6, 12});
  const auto fit = [](const cuda::Array& x, const cuda::Array& out, std::uintptr_t shift = 0) {
    const auto walk = cuda::plan_walk<2>(out.shape, {&x, &out});
    return cuda::packs_fit(walk, {cuda::Place{shift, 4}, cuda::Place{0, 4}});
  };
  EXPECT(fit(a.array(), a.array()) && !fit(a.array(), a.array(), 4));
  EXPECT(fit(row.array(), a.array()) && !fit(row.array(), a.array(), 8));
  EXPECT(fit(column.array(), a.array()) && fit(column.array(), a.array(), 4));
  EXPECT(fit(ragged.array(), ragged.array()) && !fit(column.array(), ragged.array()));
  HostArray<float> turned({16, 6});
  EXPECT(!fit(turned.transposed(), a.array()));
  HostArray<float> wide({6, 18});
  cuda::Array part = wide.array();
  part.shape = {6, 16};
  EXPECT(!fit(part, a.array()));  // 72 bytes from row to row
}

TEST(packs_are_whole_wherever_they_begin) {
  using Walk = cuda::Walk<2>;
  const auto fit = [](const Walk& walk, int bytes, std::uintptr_t address = 0) {
    return cuda::packs_fit(walk, {cuda::Place{address, bytes}, cuda::Place{0, bytes}});
  };
  const Walk seven{7, 1, {7}, {{1, 1}}}, eight{8, 1, {8}, {{1, 1}}}, nine{9, 1, {9}, {{1, 1}}};
  EXPECT(!fit(seven, 4) && fit(eight, 4) && fit(nine, 4) && !fit({8, 0}, 4));
  EXPECT(fit(eight, 1, 8) && !fit(eight, 1, 4) && fit(eight, 8, 16) && !fit(eight, 8, 8));
  EXPECT(!fit({8, 1, {8}, {{2, 1}}}, 4) && !fit({8, 1, {8}, {{1, 2}}}, 4));
  EXPECT(fit({8, 1, {8}, {{0, 1}}}, 4, 4) && !fit({8, 1, {8}, {{1, 0}}}, 4));
  const auto rows = [](std::int64_t length, std::int64_t step) {
    return Walk{2 * length, 2, {2, length}, {{step, length}, {1, 1}}};
  };
  EXPECT(fit(rows(8, 8), 4) && fit(rows(8, 12), 4) && !fit(rows(8, 10), 4));
  EXPECT(!fit(rows(12, 12), 4) && !fit(rows(9, 16), 4) && !fit(rows(8, 12), 1));

  const auto packs = cuda::in_packs(rows(24, 32));
  EXPECT(packs.count == 6 && packs.dims == 2 && packs.size[0] == 2 && packs.size[1] == 3);
  EXPECT(packs.stride[0][0] == 32 && packs.stride[1][0] == 8 && packs.stride[1][1] == 8);
  EXPECT(cuda::in_packs(nine).count == 1 && cuda::in_packs(eight, 4).count == 2);
}

TEST(elementwise_kernels_follow_the_problem) {
  using cuda::select_elementwise;
  expect_same(select_elementwise(0, false).spell(), "strided, 0 blocks of 32 threads");
  expect_same(select_elementwise(1, false).spell(), "strided, 1 blocks of 32 threads");
  expect_same(select_elementwise(32, false).spell(), "strided, 1 blocks of 32 threads");
  expect_same(select_elementwise(33, false).spell(), "strided, 1 blocks of 64 threads");
  expect_same(select_elementwise(256, false).spell(), "strided, 1 blocks of 256 threads");
  expect_same(select_elementwise(257, false).spell(), "strided, 2 blocks of 256 threads");
  expect_same(select_elementwise(8192 * 256, false).spell(), "strided, 8192 blocks of 256 threads");
  expect_same(select_elementwise(8192 * 256 + 1, false).spell(),
              "strided, 8192 blocks of 256 threads");
  expect_same(select_elementwise(8 * 32, true).spell(), "packed, 1 blocks of 32 threads");
  expect_same(select_elementwise(8 * 33, true).spell(), "packed, 1 blocks of 64 threads");
  expect_same(select_elementwise(8 * 257, true).spell(), "packed, 2 blocks of 256 threads");
}
