// The emulator itself: which threads run, in which order, and what they exchange.
#include <algorithm>
#include <set>
#include <vector>

#include "check.h"
#include "cuda/block_sum.h"
#include "cuda/launch.h"
#include "cuda/ptx/atomic.h"
#include "cuda/ptx/shared.h"
#include "cuda/ptx/warp.h"

using namespace minidl;
using namespace minidl::testing;
using cuda::launch;

namespace {

__global__ void record(std::vector<int>* order) {
  order->push_back(static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x));
}

std::vector<int> order_of(std::optional<int> seed) {
  std::vector<int> order;
  with_seed(seed, [&] { launch("record", record, {.grid = {5}, .block = {40}}, nullptr, &order); });
  return order;
}

}  // namespace

TEST(eager_runs_threads_and_blocks_in_order) {
  const auto order = order_of(std::nullopt);
  EXPECT(order.size() == 200 && std::is_sorted(order.begin(), order.end()));
}

TEST(shuffled_runs_every_thread_once_in_an_order_of_the_seed) {
  const auto first = order_of(1), again = order_of(1), second = order_of(2);
  EXPECT(std::set<int>(first.begin(), first.end()).size() == 200 && first.size() == 200);
  EXPECT(!std::is_sorted(first.begin(), first.end()));
  EXPECT(first == again && first != second);
}

TEST(blocks_and_threads_have_three_dimensions) {
  static std::set<std::vector<unsigned>> seen;
  seen.clear();
  struct Kernel {
    static void run() {
      seen.insert({threadIdx.x, threadIdx.y, threadIdx.z, blockIdx.x, blockIdx.y, blockIdx.z});
    }
  };
  launch("dimensions", &Kernel::run, {.grid = {2, 3, 4}, .block = {5, 3, 2}}, nullptr);
  EXPECT(seen.size() == 2 * 3 * 4 * 5 * 3 * 2);
  EXPECT((*seen.rbegin() == std::vector<unsigned>{4, 2, 1, 1, 2, 3}));
}

namespace {

__global__ void reverse(int* values) {
  int* shared = cuda::dynamic_shared<int>();
  for (int round = 0; round < 3; ++round) {
    shared[threadIdx.x] = values[threadIdx.x];
    __syncthreads();
    values[threadIdx.x] = shared[blockDim.x - 1 - threadIdx.x];
    __syncthreads();
  }
}

}  // namespace

TEST(barriers_order_shared_memory) {
  with_schedules([] {
    std::vector<int> values(96);
    for (int i = 0; i < 96; ++i) values[i] = i;
    launch("reverse", reverse, {.grid = {1}, .block = {96}, .shared_bytes = 96 * sizeof(int)},
           nullptr, values.data());
    for (int i = 0; i < 96; ++i) EXPECT(values[i] == 95 - i);
  });
}

namespace {

__global__ void exchange_all(int* xored, int* down, unsigned* votes, double* sums) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  xored[threadIdx.x] = cuda::shuffle_xor(lane, 5);
  down[threadIdx.x] = cuda::shuffle_down(lane, 7u);
  votes[threadIdx.x] = cuda::ballot(lane % 3 == 0);
  sums[threadIdx.x] = cuda::warp_sum(static_cast<double>(threadIdx.x));
}

}  // namespace

TEST(warps_shuffle_and_vote) {
  with_schedules([] {
    std::vector<int> xored(64), down(64);
    std::vector<unsigned> votes(64);
    std::vector<double> sums(64);
    launch("exchange_all", exchange_all, {.grid = {1}, .block = {64}}, nullptr, xored.data(),
           down.data(), votes.data(), sums.data());
    for (int i = 0; i < 64; ++i) {
      const int lane = i % 32;
      EXPECT(xored[i] == (lane ^ 5) && down[i] == (lane + 7 < 32 ? lane + 7 : lane));
      EXPECT(votes[i] == 0x49249249u && sums[i] == (i < 32 ? 496 : 1520));
    }
  });
}

namespace {

__global__ void count(int* counter, int* tickets) {
  tickets[blockIdx.x * blockDim.x + threadIdx.x] = cuda::atomic_add(counter, 1);
}

__global__ void sum_block(double* out) {
  const double total = cuda::block_sum(1.0 + threadIdx.x, cuda::dynamic_shared<double>(),
                                       static_cast<int>(threadIdx.x), static_cast<int>(blockDim.x));
  if (threadIdx.x == 0) *out = total;
}

}  // namespace

TEST(atomics_count_every_thread) {
  with_schedules([] {
    int counter = 0;
    std::vector<int> tickets(256);
    launch("count", count, {.grid = {4}, .block = {64}}, nullptr, &counter, tickets.data());
    EXPECT(counter == 256 && std::set<int>(tickets.begin(), tickets.end()).size() == 256);
  });
}

TEST(a_block_sums) {
  for (const int threads : {32, 64, 1024}) {
    with_schedules([&] {
      double total = 0;
      launch("sum_block", sum_block,
             {.grid = {1}, .block = {threads}, .shared_bytes = 32 * sizeof(double)}, nullptr,
             &total);
      EXPECT(total == threads * (threads + 1) / 2.0);
    });
  }
}

TEST(shared_memory_starts_poisoned) {
  static float found;
  struct Kernel {
    static void run() {
      if (threadIdx.x == 0) found = cuda::dynamic_shared<float>()[3];
    }
  };
  launch("poison", &Kernel::run, {.grid = {1}, .block = {32}, .shared_bytes = 16}, nullptr);
  EXPECT(std::isnan(found));
}

TEST(an_empty_grid_launches_nothing) {
  EXPECT(order_of(std::nullopt).size() == 200);
  std::vector<int> order;
  launch("record", record, {.grid = {0}, .block = {40}}, nullptr, &order);
  EXPECT(order.empty());
}

TEST(a_seed_that_is_no_number_is_refused) {
  setenv("MINIDL_EMULATOR_SEED", "seven", 1);
  std::vector<int> order;
  expect_mentions(
      message_of([&] { launch("record", record, {.grid = {1}, .block = {1}}, nullptr, &order); }),
      {"seven", "number"});
}
