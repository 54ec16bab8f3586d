// Philox-4x32-10: 128 random bits as a pure function of a 64-bit block number and a 64-bit seed.
// The one definition for host and device; minidl/backends/reference/random.py states the stream.
//
// Source: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3",
// SC 2011.
#pragma once

#include <cstdint>

#ifndef MINIDL_HOST_DEVICE
#ifdef __CUDACC__
#define MINIDL_HOST_DEVICE __host__ __device__
#else
#define MINIDL_HOST_DEVICE
#endif
#endif

namespace minidl {

struct PhiloxKey {
  uint32_t low, high;

  MINIDL_HOST_DEVICE constexpr explicit PhiloxKey(uint64_t seed)
      : low(static_cast<uint32_t>(seed)), high(static_cast<uint32_t>(seed >> 32)) {}
  MINIDL_HOST_DEVICE constexpr PhiloxKey(uint32_t low, uint32_t high) : low(low), high(high) {}

  MINIDL_HOST_DEVICE constexpr PhiloxKey next() const {
    return {low + 0x9E3779B9u, high + 0xBB67AE85u};  // golden ratio, sqrt(3) - 1
  }
};

struct PhiloxBlock {
  uint32_t word[4];

  // The counter of a block of the stream.
  MINIDL_HOST_DEVICE static constexpr PhiloxBlock counter(uint64_t block) {
    return {{static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), 0u, 0u}};
  }

  MINIDL_HOST_DEVICE constexpr PhiloxBlock round(PhiloxKey key) const {
    const uint64_t product0 = uint64_t{0xD2511F53u} * word[0];
    const uint64_t product1 = uint64_t{0xCD9E8D57u} * word[2];
    return {{static_cast<uint32_t>(product1 >> 32) ^ word[1] ^ key.low,
             static_cast<uint32_t>(product1),
             static_cast<uint32_t>(product0 >> 32) ^ word[3] ^ key.high,
             static_cast<uint32_t>(product0)}};
  }
};

MINIDL_HOST_DEVICE constexpr PhiloxBlock philox(PhiloxBlock counter, PhiloxKey key) {
  for (int round = 0; round < 10; ++round) {
    counter = counter.round(key);
    key = key.next();
  }
  return counter;
}

// Block number `block` of the stream of `seed`.
MINIDL_HOST_DEVICE constexpr PhiloxBlock philox(uint64_t block, uint64_t seed) {
  return philox(PhiloxBlock::counter(block), PhiloxKey(seed));
}

// The conversions of words to numbers, the same on every backend.
MINIDL_HOST_DEVICE constexpr uint64_t philox_pair(const uint32_t* word) {
  return word[0] | (uint64_t{word[1]} << 32);
}

// [0, 1), multiples of 2^-24.
MINIDL_HOST_DEVICE constexpr float philox_unit_float(uint32_t word) {
  return static_cast<float>(word >> 8) * 0x1p-24f;
}

// [0, 1), multiples of 2^-53.
MINIDL_HOST_DEVICE constexpr double philox_unit_double(uint64_t pair) {
  return static_cast<double>(pair >> 11) * 0x1p-53;
}

// (0, 1): the middles of 2^32 intervals.
MINIDL_HOST_DEVICE constexpr double philox_open_unit(uint32_t word) {
  return (static_cast<double>(word) + 0.5) * 0x1p-32;
}

// (0, 1): the middles of 2^52 intervals.
MINIDL_HOST_DEVICE constexpr double philox_open_unit(uint64_t pair) {
  return (static_cast<double>(pair >> 12) + 0.5) * 0x1p-52;
}

}  // namespace minidl
