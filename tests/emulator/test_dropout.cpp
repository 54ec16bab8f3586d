// Random arrays and dropout against the definition of the stream in common/philox.h.
#include "arrays.h"
#include "common/philox.h"
#include "cuda/dropout.h"
#include "cuda/random.h"

using namespace minidl;
using namespace minidl::testing;

namespace {

constexpr std::uint64_t seed = 11, offset = (1ull << 32) - 2;

std::uint32_t word(std::int64_t i) {
  return philox(offset + static_cast<std::uint64_t>(i / 4), seed).word[i % 4];
}

}  // namespace

TEST(random_words_are_those_of_the_stream) {
  for (const std::int64_t count : {1, 7, 1030}) {
    HostArray<float> uniform({count}), normal({count});
    with_schedules([&] {
      cuda::fill_uniform(uniform.array(), {seed, offset - 3, &seed}, nullptr);
      for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t moved = i + 4 * (static_cast<std::int64_t>(seed) - 3);
        EXPECT(uniform.values[i] == philox_unit_float(word(moved)));
      }
      cuda::fill_normal(normal.array(), {seed, offset}, nullptr);
      for (std::int64_t i = 0; i < count; ++i) {
        const double radius = std::sqrt(-2 * std::log(philox_open_unit(word(i / 2 * 2))));
        const double angle = 2 * M_PI * philox_open_unit(word(i / 2 * 2 + 1));
        expect_close(normal.values[i], radius * (i % 2 ? std::sin(angle) : std::cos(angle)), 1e-6,
                     concat("normal ", i));
      }
    });
  }
}

TEST(random_arrays_must_be_dense) {
  HostArray<float> out({3, 4}, {1, 0});
  expect_mentions(message_of([&] { cuda::fill_normal(out.array(), {}, nullptr); }),
                  {"dense", "[3, 4]", "[1, 3]"});
}

TEST(dropout_keeps_what_the_stream_says) {
  std::mt19937 random(1);
  for (const std::int64_t count : {3, 16, 1029, 5003}) {
    HostArray<BFloat16> x({count}), out({count}), again({count});
    HostArray<std::uint8_t> mask({count});
    x.randomize(random);
    cuda::Array kept = mask.array();
    kept.dtype = DType::boolean;
    with_schedules([&] {
      cuda::dropout(x.array(), 0.25, 2, {seed, offset}, out.array(), kept, nullptr);
      cuda::masked_scale(x.array(), kept, 2, again.array(), nullptr);
      for (std::int64_t i = 0; i < count; ++i) {
        const bool stays = philox_unit_float(word(i)) >= 0.25f;
        EXPECT(mask.values[i] == stays && out.values[i] == (stays ? 2 * x.values[i] : 0.0f));
        EXPECT(again.values[i] == out.values[i]);
      }
    });
  }
}
