// Gathering, writing and adding at indices, bad ones among them; and the sort beneath.
#include <algorithm>
#include <numeric>

#include "arrays.h"
#include "cuda/index.h"
#include "cuda/radix_sort.h"

using namespace minidl;
using namespace minidl::testing;

namespace {

// `array` with axis 0 indexed: stride 0, `rows` long.
cuda::Array indexed(cuda::Array array, std::int64_t rows) {
  array.shape[0] = rows;
  array.strides[0] = 0;
  return array;
}

// A vector of indices lying along axis 0 of a joint shape of two axes.
cuda::Array lying(HostArray<std::int64_t>& index) {
  return {index.values.data(), DType::int64, {index.shape[0], 1}, {1, 0}};
}

}  // namespace

TEST(index_gathers_rows_and_passes_over_bad_ones) {
  std::mt19937 random(1);
  for (const std::int64_t columns : {8, 6, 5}) {
    HostArray<float> table({7, columns}), out({4, columns});
    table.randomize(random);
    HostArray<std::int64_t> index({4});
    index.values = {6, -7, 7, 2};
    with_schedules([&] {
      cuda::FaultRecord record{};
      cuda::gather(indexed(table.array(), 4), {{lying(index), 7, columns, 5}}, out.array(),
                   {true, cuda::FaultKind::index, &record}, nullptr);
      for (std::int64_t j = 0; j < columns; ++j) {
        EXPECT(out.at(0, j) == table.at(6, j) && out.at(1, j) == table.at(0, j));
        EXPECT(out.at(2, j) == 0 && out.at(3, j) == table.at(2, j));
      }
      EXPECT(record.claimed == 1 && record.index == 7 && record.size == 7 && record.place == 5);
    });
  }
}

TEST(index_writes_let_the_last_stay) {
  HostArray<float> target({3, 4}), source({50, 4});
  HostArray<std::int64_t> index({50});
  HostArray<std::int32_t> owners({12});
  for (int n = 0; n < 50; ++n) index.values[n] = n % 7 == 0 ? 2 : 0;
  std::iota(source.values.begin(), source.values.end(), 0.0f);
  with_schedules([&] {
    std::fill(owners.values.begin(), owners.values.end(), 0);
    std::fill(target.values.begin(), target.values.end(), -1.0f);
    cuda::index_write(indexed(target.array(), 50), {{lying(index), 3, 4, 0}}, source.array(),
                      owners.array(), {false, cuda::FaultKind::index, nullptr}, nullptr);
    for (int j = 0; j < 4; ++j) {
      EXPECT(target.at(0, j) == source.at(48, j) && target.at(1, j) == -1);
      EXPECT(target.at(2, j) == source.at(49, j));
    }
  });
}

namespace {

void check_adds(std::int64_t entries) {
  std::mt19937 random(2);
  const std::int64_t rows = 300, columns = 3;
  HostArray<float> target({rows, columns}), source({entries, columns});
  HostArray<std::int64_t> index({entries});
  source.randomize(random);
  for (auto& i : index.values) i = random() % 2 ? 299 : random() % rows;
  index.values[17] = rows;
  HostArray<double> wanted({rows, columns});
  std::fill(wanted.values.begin(), wanted.values.end(), 0.0);
  for (int n = 0; n < entries; ++n) {
    for (int j = 0; j < columns && n != 17; ++j) wanted.at(index.values[n], j) += source.at(n, j);
  }
  const std::vector<cuda::IndexedAxis> axes = {{lying(index), rows, columns, 0}};
  const cuda::Array to = indexed(target.array(), entries);
  HostArray<std::int64_t> workspace(
      {cuda::index_add_workspace(to, rows * columns, axes, source.array())});
  Values<float> first;
  with_schedules([&] {
    cuda::FaultRecord record{};
    std::fill(target.values.begin(), target.values.end(), 0.0f);
    cuda::index_add(to, rows * columns, axes, source.array(), workspace.array(),
                    {false, cuda::FaultKind::embedding, &record}, nullptr);
    for (std::size_t i = 0; i < wanted.values.size(); ++i)
      expect_close(target.values[i], wanted.values[i], 1e-4, "index_add");
    EXPECT(record.kind == 2 && record.index == rows);
    if (first.empty()) first = target.values;
    EXPECT(first == target.values);
  });
}

}  // namespace

TEST(index_adds_in_a_fixed_order) {
  check_adds(600);
  check_adds(300);  // three chunks
}

TEST(a_radix_sort_is_stable) {
  std::mt19937 random(3);
  const std::int64_t count = 1500;
  std::vector<unsigned> keys[2], order[2];
  std::vector<std::pair<unsigned, unsigned>> wanted(count);
  for (auto* buffers : {keys, order}) {
    for (int b = 0; b < 2; ++b) buffers[b].resize(count);
  }
  for (unsigned n = 0; n < count; ++n) wanted[n] = {random() % 1000, n};
  std::vector<std::int64_t> workspace(cuda::radix_sort_workspace(count));
  with_schedules([&] {
    for (unsigned n = 0; n < count; ++n) {
      keys[0][n] = wanted[n].first;
      order[0][n] = n;
    }
    const int now =
        cuda::radix_sort({keys[0].data(), keys[1].data()}, {order[0].data(), order[1].data()},
                         count, 10, workspace.data(), nullptr);
    auto sorted = wanted;
    std::sort(sorted.begin(), sorted.end());
    for (int n = 0; n < count; ++n)
      EXPECT(keys[now][n] == sorted[n].first && order[now][n] == sorted[n].second);
  });
}

TEST(index_refuses_what_does_not_fit) {
  HostArray<float> table({7, 3}), out({4, 3});
  HostArray<std::int64_t> index({4});
  HostArray<float> wrong({4});
  const cuda::IndexRules rules{false, cuda::FaultKind::index, nullptr};
  expect_mentions(message_of([&] {
                    cuda::gather(indexed(table.array(), 5), {{lying(index), 7, 3, 0}}, out.array(),
                                 rules, nullptr);
                  }),
                  {"[4, 3]", "[5, 3]"});
  expect_mentions(message_of([&] {
                    cuda::gather(indexed(table.array(), 4), {{wrong.array(), 7, 3, 0}}, out.array(),
                                 rules, nullptr);
                  }),
                  {"int32 or int64", "float32"});
}
