// The wgmma matmul against plain loops in double: every way the operands may lie, ragged sizes,
// several tiles a block.
#include "arrays.h"
#include "cuda/matmul_wgmma.h"

using namespace minidl;
using namespace minidl::testing;
using namespace minidl::cuda;

namespace {

struct Product {
  std::int64_t batch, m, n, k;
  bool a_k_unit, b_k_unit;
  MatmulWgmmaConfig config;
  bool batched_b = true;
  int padding = 0;  // elements between the rows of the result
};

// [batch, rows, columns] whose rows are dense or, `turned`, whose columns are; lines are padded to
// multiples of 16 bytes by what is beyond the array.
template <class T>
struct Stack {
  HostArray<T> values;
  Array array;

  Stack(std::int64_t batch, std::int64_t rows, std::int64_t columns, bool turned,
        std::mt19937& random)
      : values({batch, turned ? columns : rows, ((turned ? rows : columns) + 7) / 8 * 8}),
        array(values.randomize(random).array()) {
    array.shape = {batch, rows, columns};
    if (turned) std::swap(array.strides[1], array.strides[2]);
  }
  double at(std::int64_t batch, std::int64_t row, std::int64_t column) const {
    return static_cast<float>(values.values.at(batch * array.strides[0] + row * array.strides[1] +
                                               column * array.strides[2]));
  }
};

template <class T>
void check(const Product& p, const std::vector<int>& out_order = {}) {
  std::mt19937 random(5);
  Stack<T> a(p.batch, p.m, p.k, !p.a_k_unit, random);
  Stack<T> b(p.batched_b ? p.batch : 1, p.k, p.n, p.b_k_unit, random);
  HostArray<T> out({p.batch, p.m, p.n + p.padding}, out_order);
  Array result = out.array();
  result.shape[2] = p.n;
  HostArray<T> bias({p.n});
  const Array row = bias.randomize(random).array();
  matmul_wgmma(a.array, b.array, result, p.padding ? &row : nullptr, p.config, nullptr);
  for (std::int64_t i = 0; i < p.batch; ++i) {
    for (std::int64_t m = 0; m < p.m; ++m) {
      if (p.padding) EXPECT(static_cast<float>(out.at(i, m, p.n)) == 77);
      for (std::int64_t n = 0; n < p.n; ++n) {
        double sum = p.padding ? static_cast<double>(bias.at(n)) : 0;
        for (std::int64_t k = 0; k < p.k; ++k) sum += a.at(i, m, k) * b.at(p.batched_b * i, k, n);
        expect_close(static_cast<float>(out.at(i, m, n)), sum, 1e-2,
                     concat("matmul_wgmma at ", i, ", ", m, ", ", n));
      }
    }
  }
}

}  // namespace

TEST(wgmma_products_of_every_layout) {
  for (const bool a : {true, false}) {
    for (const bool b : {true, false}) {
      with_seed(1, [&] { check<BFloat16>({1, 133, 40, 200, a, b, {128, 1}}); });
      check<Half>({1, 70, 264, 72, a, b, {256, 2}});
    }
  }
}

// Six slabs a tile go through four stages, and one block computes all tiles; the result is written
// by the threads (its rows are no multiples of 16 bytes) or by bulk copies.
TEST(wgmma_products_of_many_tiles_a_block) {
  with_schedules([&] {
    check<BFloat16>({1, 133, 139, 330, true, true, {128, 1}, true, 1});
    check<BFloat16>({1, 133, 139, 330, true, true, {128, 1}, true, 5});
  });
}

TEST(wgmma_products_of_stacks_and_strides) {
  with_seed(1, [] {
    check<BFloat16>({3, 9, 20, 70, true, true, {128, 2}});
    check<Half>({2, 20, 9, 40, true, false, {128, 1}, false}, {0, 2, 1});
    check<BFloat16>({1, 1, 1, 1, false, true, {128, 1}});
  });
}

// A bias ends where its array does: 272 bytes, a multiple of the 16 that arrays are aligned to.
TEST(wgmma_products_read_no_bias_beyond_the_columns) {
  for (const int padding : {1, 8})
    check<BFloat16>({1, 9, 136, 70, true, true, {128, 1}, true, padding});
}

TEST(wgmma_products_refuse_what_does_not_fit) {
  HostArray<BFloat16> a({8, 16}), b({16, 8}), out({8, 8}), wrong({8, 9});
  const auto with = [&](const Array& left, const Array& to) {
    return message_of([&] { matmul_wgmma(left, b.array(), to, nullptr, {}, nullptr); });
  };
  Array unaligned = a.array();
  unaligned.strides[0] = 17;
  expect_mentions(with(unaligned, out.array()), {"multiples of 16 bytes"});
  expect_mentions(with(a.array(), wrong.array()), {"[8, 9]"});
}

TEST(wgmma_tiles_follow_the_problem) {
  EXPECT(select_matmul_wgmma(1, 4096, 4096, 132).tile_n == 256);
  EXPECT(select_matmul_wgmma(1, 1024, 1024, 132).tile_n == 128);
  EXPECT(select_matmul_wgmma(1, 1024, 1024, 132).blocks == 64);
  EXPECT(select_matmul_wgmma(8, 1024, 1024, 132).blocks == 132);
  expect_mentions(select_matmul_wgmma(1, 128, 256, 132).spell(), {"128 x 128", "2 blocks"});
}
