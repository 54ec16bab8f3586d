#include "emulator/schedule.h"

#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <numeric>

#include "common/checks.h"

namespace minidl::emulator {

Schedule Schedule::from_environment() {
  const char* text = std::getenv("MINIDL_EMULATOR_SEED");
  if (!text || !*text) return {};
  char* end = nullptr;
  errno = 0;
  const std::uint64_t seed = std::strtoull(text, &end, 10);
  MINIDL_CHECK(std::isdigit(static_cast<unsigned char>(*text)) && !*end && !errno,
               "MINIDL_EMULATOR_SEED='", text,
               "' is not a number; unset it to run the threads in order");
  return {seed};
}

std::uint64_t Random::next() {
  std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

std::uint64_t Random::below(std::uint64_t count) { return next() % count; }

BlockOrder::BlockOrder(std::uint64_t count, const Schedule& schedule) : count_(count) {
  if (!schedule.seed || count < 2) return;
  Random random(*schedule.seed);
  start_ = random.below(count);
  // A step that has no common divisor with the count visits every block before it repeats one.
  do {
    step_ = 1 + random.below(count - 1);
  } while (std::gcd(step_, count) != 1);
}

std::uint64_t BlockOrder::at(std::uint64_t position) const {
  const auto wide = static_cast<unsigned __int128>(position) * step_ + start_;
  return static_cast<std::uint64_t>(wide % count_);
}

}  // namespace minidl::emulator
