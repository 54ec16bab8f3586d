// Division by a number that stays the same for long: a multiplication and a shift.
#pragma once

#include <cstdint>

#include "common/half.h"

namespace minidl::cuda {

// Numerators from 0 to 2^31 - 1, divisors from 1 to 2^31 - 1. Granlund and Montgomery, "Division by
// invariant integers using multiplication" (1994).
struct Divider {
  std::uint32_t divisor, multiplier;
  int shift;

  Divider() = default;
  explicit MINIDL_HOST_DEVICE Divider(int number)
      : divisor(static_cast<std::uint32_t>(number)), shift(0) {
    while ((std::uint64_t{1} << shift) < divisor) ++shift;
    const std::uint64_t excess = (std::uint64_t{1} << shift) - divisor;
    multiplier = static_cast<std::uint32_t>((excess << 32) / divisor + 1);
  }

  MINIDL_HOST_DEVICE int quotient(int number) const {
    const std::uint32_t n = static_cast<std::uint32_t>(number);
    const std::uint32_t high =
        static_cast<std::uint32_t>(static_cast<std::uint64_t>(n) * multiplier >> 32);
    return static_cast<int>((high + n) >> shift);
  }

  // The remainder; `number` becomes the quotient.
  MINIDL_HOST_DEVICE int split(int& number) const {
    const int before = number;
    number = quotient(number);
    return before - number * static_cast<int>(divisor);
  }
};

}  // namespace minidl::cuda
