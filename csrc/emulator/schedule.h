// The order in which the threads and blocks of a launch run.
#pragma once

#include <cstdint>
#include <optional>

namespace minidl::emulator {

// Eager (no seed): a thread runs until it has to wait, threads and blocks in index order.
// Shuffled (a seed): blocks in a random order; at every barrier, warp exchange, atomic and exit a
// random thread goes on; every fourth seed leaves a thread that was ready early behind for long, so
// that whole warps end while others have not gone on. A kernel that forgets a barrier can pass the
// first; some seed fails it.
struct Schedule {
  std::optional<std::uint64_t> seed;

  // MINIDL_EMULATOR_SEED: unset or empty is eager, a number is the seed. Read at every launch, so
  // that a test can change it. Throws std::invalid_argument for anything else.
  static Schedule from_environment();
};

// SplitMix64: small, and the same sequence with every standard library.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t below(std::uint64_t count);  // in [0, count)

 private:
  std::uint64_t next();
  std::uint64_t state_;
};

// Visits 0 .. count-1 once each; in a pseudo-random order, and without storing it, where shuffled.
class BlockOrder {
 public:
  BlockOrder(std::uint64_t count, const Schedule& schedule);
  std::uint64_t at(std::uint64_t position) const;

 private:
  std::uint64_t count_, start_ = 0, step_ = 1;
};

}  // namespace minidl::emulator
