// The asynchronous parts of the emulator: what waits for what, and which mistakes are noticed.
#include <numeric>

#include "arrays.h"
#include "cuda/launch.h"
#include "cuda/ptx/proxy.h"
#include "cuda/ptx/tensor_copy.h"
#include "cuda/ptx/wgmma.h"

using namespace minidl;
using namespace minidl::testing;
using namespace minidl::cuda;

namespace {

constexpr int rows = 8, columns = 64, steps = 5, threads = 128;

enum class Mistake {
  none,
  no_wait,
  one_byte_short,
  no_fence,
  extra_arrival,
  no_arrival,
  early_release
};

// A ring of two stages: thread 0 of the first warpgroup loads, the second warpgroup adds up what
// came and stores it.
__global__ void ring_kernel(TensorMap from, TensorMap to, Mistake mistake) {
  auto* stage = dynamic_shared<std::uint16_t>();  // [2][rows][columns]
  auto* sums = stage + 2 * rows * columns;
  auto* full = reinterpret_cast<MBarrier*>(sums + rows * columns);
  MBarrier* empty = full + 2;
  if (threadIdx.x == 0) {
    for (int i = 0; i < 2; ++i) {
      mbarrier_init(full + i, 1);
      mbarrier_init(empty + i, threads);
    }
    fence_mbarrier_init();
  }
  __syncthreads();
  constexpr std::uint32_t bytes = rows * columns * 2;
  if (threadIdx.x < threads) {
    for (int i = 0; i < steps && threadIdx.x == 0; ++i) {
      mbarrier_wait(empty + i % 2, i / 2 % 2 ^ 1);
      mbarrier_arrive_expect(full + i % 2, mistake == Mistake::one_byte_short ? bytes - 1 : bytes);
      load_box<2>(stage + i % 2 * rows * columns, from, full + i % 2, {0, i * rows});
    }
    return;
  }
  const int thread = static_cast<int>(threadIdx.x) - threads;
  std::uint16_t sum[4] = {};
  for (int i = 0; i < steps; ++i) {
    if (mistake != Mistake::no_wait) mbarrier_wait(full + i % 2, i / 2 % 2);
    if (mistake == Mistake::early_release) mbarrier_arrive(empty + i % 2);
    for (int e = 0; e < 4; ++e) {
      sum[e] = static_cast<std::uint16_t>(sum[e] + stage[(i % 2 * 4 + e) * threads + thread]);
      emulator::preempt();
    }
    if (mistake == Mistake::no_arrival && thread == 3) continue;
    if (mistake != Mistake::early_release) mbarrier_arrive(empty + i % 2);
    if (mistake == Mistake::extra_arrival) mbarrier_arrive(empty + i % 2);
  }
  for (int e = 0; e < 4; ++e) sums[e * threads + thread] = sum[e];
  if (mistake != Mistake::no_fence) fence_proxy_async();
  named_barrier(1, threads);
  if (thread == 0) {
    store_box<2>(to, sums, {0, 0});
    store_commit();
    store_wait<0>();
  }
}

struct Ring {
  std::vector<std::uint16_t> from, to;

  explicit Ring(Mistake mistake) : from(steps * rows * columns), to(rows * columns, 7) {
    std::iota(from.begin(), from.end(), 1);
    const auto map = [](std::vector<std::uint16_t>& array, std::int64_t height) {
      return make_tensor_map({array.data(),
                              DType::float16,
                              2,
                              {columns, height},
                              {0, columns * 2},
                              {columns, rows},
                              Swizzle::none});
    };
    launch("ring", ring_kernel,
           {.grid = {1}, .block = {2 * threads}, .shared_bytes = 3 * rows * columns * 2 + 32},
           nullptr, map(from, steps * rows), map(to, rows), mistake);
  }

  bool is_right() const {
    for (int i = 0; i < rows * columns; ++i) {
      int sum = 0;
      for (int s = 0; s < steps; ++s) sum += from[s * rows * columns + i];
      if (to[i] != static_cast<std::uint16_t>(sum)) return false;
    }
    return true;
  }
};

// Whether some schedule gives a wrong result or an exception.
bool noticed(Mistake mistake) {
  bool found = false;
  with_schedules([&] {
    try {
      found |= !Ring(mistake).is_right();
    } catch (const std::runtime_error&) {
      found = true;
    }
  });
  return found;
}

// 64 x 64 = 64 x 16 times 16 x 64 of ones; `early` overwrites an operand before the product is
// waited for.
__global__ void product_kernel(TensorMap map, float* out, bool early) {
  auto* tile = dynamic_shared<BFloat16>();
  auto* barrier = reinterpret_cast<MBarrier*>(tile + 64 * 64);
  if (threadIdx.x == 0) {
    mbarrier_init(barrier, 1);
    mbarrier_arrive_expect(barrier, 64 * 128);
    load_box<2>(tile, map, barrier, {0, 0});
  }
  __syncthreads();
  mbarrier_wait(barrier, 0);
  float sum[32];
  const std::uint64_t operand = descriptor(shared_offset(tile), 16, 1024, Swizzle::bytes_128);
  wgmma_fence();
  wgmma<BFloat16, 64, Major::k, Major::k>(sum, operand, operand, false);
  wgmma_commit();
  if (early) tile[threadIdx.x] = BFloat16(0.0f);
  wgmma_wait<0>();
  for (int i = 0; i < 32; ++i) out[i * threads + threadIdx.x] = sum[i];
}

}  // namespace

TEST(bulk_copies_and_barriers_make_a_ring) {
  with_schedules([] { EXPECT(Ring(Mistake::none).is_right()); });
}

TEST(mistakes_in_a_ring_are_noticed) {
  EXPECT(noticed(Mistake::no_wait));
  EXPECT(noticed(Mistake::early_release));
  expect_mentions(message_of([] { Ring(Mistake::no_fence); }),
                  {"store_box", "test_async.cpp", "without fence.proxy.async"});
  expect_mentions(message_of([] { Ring(Mistake::extra_arrival); }),
                  {"mbarrier_arrive", "more than the"});
  expect_mentions(message_of([] { Ring(Mistake::no_arrival); }), {"deadlock", "mbarrier_wait"});
  EXPECT(noticed(Mistake::one_byte_short));
}

TEST(operands_of_wgmma_are_read_until_it_is_waited_for) {
  std::vector<BFloat16> ones(64 * 64, BFloat16(1.0f));
  const TensorMap map = make_tensor_map(
      {ones.data(), DType::bfloat16, 2, {64, 64}, {0, 128}, {64, 64}, Swizzle::bytes_128});
  std::vector<float> out(64 * 64);
  const auto run = [&](bool early) {
    launch("product", product_kernel,
           {.grid = {1}, .block = {threads}, .shared_bytes = 64 * 64 * 2 + 16}, nullptr, map,
           out.data(), early);
  };
  with_schedules([&] {
    run(false);
    for (const float value : out) EXPECT(value == 16.0f);
  });
  expect_mentions(message_of([&] { run(true); }), {"wgmma", "without fence.proxy.async"});
}

TEST(tensor_maps_beyond_the_limits_are_refused) {
  std::vector<BFloat16> data(64);
  const auto refused = [&](std::int64_t stride, int box, Swizzle swizzle) {
    return message_of([&] {
      make_tensor_map({data.data(), DType::bfloat16, 2, {8, 8}, {0, stride}, {box, 8}, swizzle});
    });
  };
  expect_mentions(refused(24, 8, Swizzle::none), {"multiple of 16 bytes", "24"});
  expect_mentions(refused(16, 4, Swizzle::none), {"row of a box", "8"});
  expect_mentions(refused(16, 64, Swizzle::bytes_64), {"128 bytes does not fit"});
  expect_mentions(refused(16, 512, Swizzle::none), {"1 to 256", "512"});
}
