// Faults planted in kernels, each of which the emulator has to find, and go on working after.
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "check.h"
#include "cuda/block_sum.h"
#include "cuda/launch.h"
#include "cuda/ptx/shared.h"
#include "cuda/ptx/warp.h"
#include "emulator/sanitizer.h"

using namespace minidl;
using namespace minidl::testing;
using cuda::launch;

namespace {

// Every thread reads what its left neighbour wrote. Run in order, the neighbour was there already.
template <bool has_barrier>
__global__ void read_neighbour(int* values) {
  int* shared = cuda::dynamic_shared<int>();
  shared[threadIdx.x] = static_cast<int>(threadIdx.x);
  if (has_barrier) __syncthreads();
  values[threadIdx.x] = shared[threadIdx.x == 0 ? 0 : threadIdx.x - 1];
}

template <bool has_barrier>
bool neighbours_are_right(std::optional<int> seed) {
  std::vector<int> values(64);
  with_seed(seed, [&] {
    launch("read_neighbour", read_neighbour<has_barrier>,
           {.grid = {1}, .block = {64}, .shared_bytes = 64 * sizeof(int)}, nullptr, values.data());
  });
  for (int i = 0; i < 64; ++i) {
    if (values[i] != std::max(0, i - 1)) return false;
  }
  return true;
}

}  // namespace

TEST(a_missing_barrier_passes_in_order_and_fails_shuffled) {
  EXPECT(neighbours_are_right<false>(std::nullopt));
  for (int seed = 1; seed <= 3; ++seed) {
    EXPECT(!neighbours_are_right<false>(seed));
    EXPECT(neighbours_are_right<true>(seed));
  }
}

namespace {

// The block's sum is in its first thread, and part of it in others: whoever writes last decides.
template <bool first>
__global__ void write_sum(int* sums) {
  const int thread = static_cast<int>(threadIdx.x);
  const int sum = cuda::block_sum(thread, cuda::dynamic_shared<int>(), thread, 256);
  if ((thread == 0) == first) sums[blockIdx.x] = sum;
}

template <bool first>
bool sums_are_right(std::optional<int> seed) {
  std::vector<int> sums(8);
  with_seed(seed, [&] {
    launch("write_sum", write_sum<first>,
           {.grid = {8}, .block = {256}, .shared_bytes = 8 * sizeof(int)}, nullptr, sums.data());
  });
  return sums == std::vector<int>(8, 255 * 128);
}

}  // namespace

TEST(a_write_by_the_wrong_threads_fails_where_warps_are_uneven) {
  EXPECT(sums_are_right<false>(std::nullopt) && !sums_are_right<false>(4));
  EXPECT(sums_are_right<true>(std::nullopt) && sums_are_right<true>(4));
}

namespace {

// A ring of two stages whose second barrier, the one before a stage is overwritten, was left out.
template <bool has_barrier>
__global__ void accumulate(const float* input, float* output, int rounds) {
  float* stage = cuda::dynamic_shared<float>();
  float sum = 0;
  for (int round = 0; round < rounds; ++round) {
    stage[threadIdx.x] = input[round * 64 + threadIdx.x];
    __syncthreads();
    for (int i = 0; i < 64; ++i) sum += stage[i];
    if (has_barrier) __syncthreads();
  }
  output[threadIdx.x] = sum;
}

template <bool has_barrier>
bool accumulates(std::optional<int> seed) {
  std::vector<float> input(4 * 64), output(64);
  for (int i = 0; i < 4 * 64; ++i) input[i] = static_cast<float>(i / 64);
  with_seed(seed, [&] {
    launch("accumulate", accumulate<has_barrier>,
           {.grid = {1}, .block = {64}, .shared_bytes = 64 * sizeof(float)}, nullptr, input.data(),
           output.data(), 4);
  });
  for (const float value : output) {
    if (!(value == 64 * 6.0f)) return false;
  }
  return true;
}

}  // namespace

TEST(a_stage_overwritten_too_early_is_caught) {
  for (int seed = 1; seed <= 3; ++seed) {
    EXPECT(!accumulates<false>(seed));
    EXPECT(accumulates<true>(seed));
  }
}

namespace {

__global__ void leave_early() {
  if (threadIdx.x == 5) return;
  __syncthreads();
}

__global__ void leave_late() {
  if (threadIdx.x == 63) return;
  __syncthreads();
}

__global__ void diverge() {
  if (threadIdx.x < 32) {
    __syncthreads();
  } else {
    __syncthreads();
  }
}

__global__ void half_a_warp() {
  if (threadIdx.x < 16) cuda::shuffle_xor(1, 1);
}

__global__ void barrier_against_warp() {
  if (threadIdx.x < 32) {
    cuda::ballot(threadIdx.x == 0 || threadIdx.x > 3);
    __syncthreads();
  } else if (threadIdx.x != 40) {
    cuda::ballot(true);
    __syncthreads();
  } else {
    __syncthreads();
  }
}

__global__ void partial_warp() { cuda::ballot(true); }

using Kernel = void (*)();

std::string fault_of(Kernel kernel, int threads, std::optional<int> seed) {
  return message_of([&] {
    with_seed(seed, [&] { launch("planted", kernel, {.grid = {2}, .block = {threads}}, nullptr); });
  });
}

}  // namespace

TEST(threads_that_leave_before_a_barrier_are_named) {
  for (const std::optional<int> seed : {std::optional<int>(), std::optional(1), std::optional(2)}) {
    for (const Kernel kernel : {leave_early, leave_late}) {
      const std::string text = fault_of(kernel, 64, seed);
      expect_mentions(text, {"planted", "__syncthreads()", "test_faults.cpp", "left"});
    }
    EXPECT(neighbours_are_right<true>(seed));  // and the emulator goes on
  }
}

TEST(a_diverged_barrier_names_both_places) {
  expect_mentions(fault_of(diverge, 64, std::nullopt),
                  {"diverged barrier", "32 wait at __syncthreads()"});
  expect_mentions(fault_of(diverge, 64, 7), {"diverged barrier", "32 wait at __syncthreads()"});
}

TEST(an_incomplete_warp_is_a_deadlock) {
  expect_mentions(fault_of(half_a_warp, 32, std::nullopt), {"deadlock", "16 wait at shuffle_xor"});
  expect_mentions(fault_of(half_a_warp, 32, 1),
                  {"deadlock", "16 wait at shuffle_xor", "16 of 32 threads have left"});
  expect_mentions(fault_of(barrier_against_warp, 64, 1), {"deadlock", "31 wait at ballot"});
}

TEST(a_mask_of_missing_lanes_is_refused) {
  expect_mentions(fault_of(partial_warp, 48, std::nullopt), {"warp 1 of 16 threads"});
}

TEST(exceptions_of_a_kernel_reach_the_launch) {
  struct Thrower {
    static void run() {
      if (threadIdx.x == 33) throw std::out_of_range("planted");
      __syncthreads();
    }
  };
  for (int round = 0; round < 3; ++round) {
    EXPECT(message_of([] {
             launch("thrower", &Thrower::run, {.grid = {1}, .block = {64}}, nullptr);
           }) == "planted");
  }
}

namespace {

template <int offset>
__global__ void write_outside() {
  if (threadIdx.x == 0) cuda::dynamic_shared<float>()[offset] = 1;
}

// How the process that runs `body` ends: AddressSanitizer stops it at the faulty line.
bool dies(const std::function<void()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    fclose(stderr);
    body();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

template <int offset>
void write_and_see() {
  const auto run = [] {
    launch("write_outside", write_outside<offset>,
           {.grid = {1}, .block = {32}, .shared_bytes = 64 * sizeof(float)}, nullptr);
  };
  if (emulator::address_sanitizer) {
    EXPECT(dies(run));
  } else {
    expect_mentions(message_of(run), {"write_outside", "256 bytes of shared memory"});
  }
}

}  // namespace

TEST(writes_outside_shared_memory_are_caught) {
  write_and_see<64>();
  write_and_see<-1>();
  write_and_see<300>();
}
