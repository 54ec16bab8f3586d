// ldmatrix, mma.sync and cp.async against plain loops: which lane holds what, and when copies show.
#include <array>
#include <vector>

#include "arrays.h"
#include "cuda/device.h"
#include "cuda/launch.h"
#include "cuda/ptx/cp_async.h"
#include "cuda/ptx/ldmatrix.h"
#include "cuda/ptx/mma.h"
#include "cuda/ptx/shared.h"

using namespace minidl;
using namespace minidl::testing;
using cuda::launch;

namespace {

// One warp: the product of a [16, depth] and b [depth, 8], in element order, added to sum [16, 8].
template <class T, int depth>
__global__ void product(const T* a, const T* b, float* sum) {
  const int lane = static_cast<int>(threadIdx.x), group = lane / 4;
  constexpr bool tf32 = std::is_same_v<T, float>;
  constexpr int in_register = tf32 ? 1 : 2, half = tf32 ? 4 : 8;  // elements; half of a step over k
  const int one = lane % 4 * in_register;
  std::uint32_t left[depth / half * 2] = {}, right[depth / half] = {};
  for (int r = 0; r < depth / half; ++r) {
    for (int i = 0; i < in_register; ++i) {
      const auto word = [&](const T& x) {
        return static_cast<std::uint32_t>(
                   std::bit_cast<std::conditional_t<tf32, std::uint32_t, std::uint16_t>>(x))
               << (16 * i);
      };
      const int k = half * r + one + i;
      left[2 * r] |= word(a[group * depth + k]);
      left[2 * r + 1] |= word(a[(group + 8) * depth + k]);
      right[r] |= word(b[k * 8 + group]);
    }
  }
  float own[4];
  const auto at = [&](int i) { return (group + i / 2 * 8) * 8 + lane % 4 * 2 + i % 2; };
  for (int i = 0; i < 4; ++i) own[i] = sum[at(i)];
  if constexpr (tf32) {
    cuda::mma_m16n8k8_tf32(own, left, right);
  } else if constexpr (depth == 16) {
    cuda::mma_m16n8k16<T>(own, left, right);
  } else {
    cuda::mma_m16n8k8_half(own, left, right);
  }
  for (int i = 0; i < 4; ++i) sum[at(i)] = own[i];
}

template <class T, int depth>
void check_product(std::mt19937& random) {
  HostArray<T> a({16, depth}), b({depth, 8});
  HostArray<float> before({16, 8});
  std::uniform_int_distribution<int> grid(-64, 64);  // exact in every type
  for (T& x : a.values) x = T(static_cast<float>(grid(random)) / 64);
  for (T& x : b.values) x = T(static_cast<float>(grid(random)) / 64);
  before.randomize(random);
  with_schedules([&] {
    HostArray<float> sum = before;
    launch("product", product<T, depth>, {.grid = {1}, .block = {32}}, nullptr, a.values.data(),
           b.values.data(), sum.values.data());
    for (int m = 0; m < 16; ++m) {
      for (int n = 0; n < 8; ++n) {
        double wanted = before.at(m, n);
        for (int k = 0; k < depth; ++k) wanted += static_cast<double>(a.at(m, k)) * b.at(k, n);
        expect_close(sum.at(m, n), wanted, 1e-6, concat("sum at ", m, ", ", n));
      }
    }
  });
}

}  // namespace

TEST(fragments_of_mma) {
  std::mt19937 random(1);
  check_product<Half, 16>(random);
  check_product<BFloat16, 16>(random);
  check_product<Half, 8>(random);
  check_product<float, 8>(random);
}

TEST(fragments_of_tf32_lose_what_a_tensor_core_does_not_read) {
  const auto bits = [](float x) { return std::bit_cast<float>(cuda::to_tf32(x)); };
  EXPECT(bits(1.0f) == 1.0f && bits(1 + 0x1p-11f) == 1 + 0x1p-10f);  // a tie, away from zero
  EXPECT(bits(-1 - 0x1p-12f) == -1.0f && std::isnan(bits(NAN)) && std::isinf(bits(INFINITY)));
  EXPECT(cuda::host::tf32_of(std::bit_cast<std::uint32_t>(1.9999999f)) == 2 - 0x1p-10f);
}

TEST(fragments_of_mma_refuse_an_older_gpu) {
  setenv("MINIDL_EMULATOR_CAPABILITY", "7.5", 1);
  EXPECT(cuda::device_capability() == 75);
  std::mt19937 random(2);
  check_product<Half, 8>(random);
  const std::string message = message_of([&] { check_product<BFloat16, 16>(random); });
  setenv("MINIDL_EMULATOR_CAPABILITY", "new", 1);
  const std::string unknown = message_of([] { cuda::device_capability(); });
  unsetenv("MINIDL_EMULATOR_CAPABILITY");
  expect_mentions(message, {"mma_m16n8k16", "8.0", "test_fragments.cpp"});
  expect_mentions(unknown, {"MINIDL_EMULATOR_CAPABILITY", "new"});
  EXPECT(cuda::device_capability() == 90);
}

namespace {

// One warp: `count` matrices, rows in a stride of `pitch` elements, into registers [32][count].
template <int count, bool transposed>
__global__ void load(const std::uint16_t* matrices, std::uint32_t* registers) {
  constexpr int pitch = 24;  // rows with a gap between them
  auto* shared = cuda::dynamic_shared<std::uint16_t>();
  const int lane = static_cast<int>(threadIdx.x);
  for (int i = lane; i < count * 64; i += 32) shared[i / 8 * pitch + i % 8] = matrices[i];
  __syncthreads();
  std::uint32_t own[count];
  const auto* row = shared + lane % (8 * count) * pitch;
  if constexpr (transposed) {
    cuda::ldmatrix_trans(own, row);
  } else {
    cuda::ldmatrix(own, row);
  }
  for (int i = 0; i < count; ++i) registers[lane * count + i] = own[i];
}

template <int count, bool transposed>
void check_load() {
  std::vector<std::uint16_t> matrices(64 * count);
  for (std::size_t i = 0; i < matrices.size(); ++i) matrices[i] = static_cast<std::uint16_t>(i);
  std::vector<std::uint32_t> registers(32 * count);
  with_schedules([&] {
    launch("load", load<count, transposed>,
           {.grid = {1}, .block = {32}, .shared_bytes = 24 * 2 * 8 * count}, nullptr,
           matrices.data(), registers.data());
    for (unsigned lane = 0; lane < 32; ++lane) {
      for (unsigned matrix = 0; matrix < count; ++matrix) {
        const unsigned row = lane / 4, column = lane % 4 * 2;
        const unsigned low = transposed ? column * 8 + row : row * 8 + column;
        const unsigned high = low + (transposed ? 8 : 1);
        EXPECT(registers[lane * count + matrix] ==
               (64 * matrix + low) + ((64 * matrix + high) << 16));
      }
    }
  });
}

}  // namespace

TEST(fragments_of_ldmatrix) {
  check_load<1, false>();
  check_load<2, false>();
  check_load<4, false>();
  check_load<1, true>();
  check_load<2, true>();
  check_load<4, true>();
}

namespace {

__global__ void load_outside(int offset) {
  std::uint32_t own[1];
  cuda::ldmatrix(own, cuda::dynamic_shared<std::byte>() + offset);
}

}  // namespace

TEST(fragments_are_loaded_from_aligned_shared_memory_only) {
  const auto message = [](int offset) {
    return message_of([&] {
      launch("load_outside", load_outside, {.grid = {1}, .block = {32}, .shared_bytes = 64},
             nullptr, offset);
    });
  };
  expect_mentions(message(64), {"ldmatrix", "offset 64", "test_fragments.cpp"});
  expect_mentions(message(8), {"offset 8", "aligned"});
}

namespace {

// A pipeline of two stages: what is read is what the stage before the newest brought.
template <int bytes, bool waits>
__global__ void stream(const float* input, float* output, int rounds) {
  constexpr int count = bytes / 4;
  const int i = static_cast<int>(threadIdx.x);
  float* stage = cuda::dynamic_shared<float>();
  const auto start = [&](int round) {
    if (round < rounds) {
      // The last copy brings a float less and a zero instead.
      const int short_by = round == rounds - 1 ? 4 : 0;
      cuda::cp_async<bytes>(stage + (round % 2 * 32 + i) * count, input + (round * 32 + i) * count,
                            bytes - short_by);
    }
    cuda::cp_async_commit();
  };
  start(0);
  for (int round = 0; round < rounds; ++round) {
    start(round + 1);
    if (waits) cuda::cp_async_wait<1>();
    __syncthreads();
    const int other = 31 - i;
    for (int j = 0; j < count; ++j)
      output[(round * 32 + i) * count + j] = stage[(round % 2 * 32 + other) * count + j];
    __syncthreads();
  }
  cuda::cp_async_wait_all();
}

template <int bytes, bool waits>
bool streams(std::optional<int> seed) {
  constexpr int rounds = 4, count = bytes / 4;
  std::vector<float> input(rounds * 32 * count), output(input.size());
  for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<float>(i + 1);
  with_seed(seed, [&] {
    launch("stream", stream<bytes, waits>, {.grid = {1}, .block = {32}, .shared_bytes = 64 * bytes},
           nullptr, input.data(), output.data(), rounds);
  });
  for (int round = 0; round < rounds; ++round) {
    for (int i = 0; i < 32 * count; ++i) {
      const int from = (31 - i / count) * count + i % count;
      const bool zero = round == rounds - 1 && i % count == count - 1;
      const float wanted = zero ? 0 : input[round * 32 * count + from];
      if (!(output[round * 32 * count + i] == wanted)) return false;
    }
  }
  return true;
}

}  // namespace

TEST(copies_show_after_their_wait) {
  for (const std::optional<int> seed :
       {std::optional<int>(), std::optional(1), std::optional(2), std::optional(3)}) {
    EXPECT((streams<4, true>(seed) && streams<8, true>(seed) && streams<16, true>(seed)));
    EXPECT((!streams<4, false>(seed) && !streams<16, false>(seed)));
  }
}

namespace {

__global__ void copy_and_leave(const float* input) {
  cuda::cp_async<4>(cuda::dynamic_shared<float>() + threadIdx.x, input + threadIdx.x);
}

__global__ void copy_askew(const float* input) {
  cuda::cp_async<16>(cuda::dynamic_shared<float>(), input + 1);
}

}  // namespace

TEST(copies_are_aligned_and_waited_for) {
  alignas(16) static const float input[32] = {};
  const auto message = [](auto kernel) {
    return message_of([&] {
      launch("copy", kernel, {.grid = {1}, .block = {32}, .shared_bytes = 128}, nullptr, input);
    });
  };
  expect_mentions(message(copy_and_leave), {"left", "cp.async under way"});
  expect_mentions(message(copy_askew), {"cp_async", "not aligned", "test_fragments.cpp"});
}

namespace {

__global__ void move(float* up, float* any, float* most, int* order) {
  const int lane = static_cast<int>(threadIdx.x);
  const auto value = static_cast<float>((lane * 7) % 32);
  up[lane] = cuda::shuffle_up(value, 3u);
  any[lane] = cuda::shuffle(value, lane + 30);
  most[lane] = cuda::warp_max(lane == 5 && order[5] < 0 ? NAN : value);
  int* shared = cuda::dynamic_shared<int>();
  shared[lane] = lane;
  cuda::sync_warp();
  order[lane] = shared[31 - lane];
}

}  // namespace

TEST(warps_shift_pick_and_compare) {
  with_schedules([] {
    std::vector<float> up(32), any(32), most(32);
    for (const int first : {0, -1}) {
      std::vector<int> order(32, first);
      launch("move", move, {.grid = {1}, .block = {32}, .shared_bytes = 128}, nullptr, up.data(),
             any.data(), most.data(), order.data());
      for (int i = 0; i < 32; ++i) {
        EXPECT(up[i] == static_cast<float>((i < 3 ? i : i - 3) * 7 % 32));
        EXPECT(any[i] == static_cast<float>((i + 30) % 32 * 7 % 32) && order[i] == 31 - i);
        EXPECT(first < 0 ? std::isnan(most[i]) : most[i] == 31);
      }
    }
  });
}
