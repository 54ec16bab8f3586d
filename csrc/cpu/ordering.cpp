#include "cpu/ordering.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

#include "cpu/thread_pool.h"

namespace minidl::cpu {
namespace {

constexpr int64_t kGrain = 1 << 14;  // elements a piece
constexpr int64_t kRadixFrom = 256;  // elements, from which on counting digits beats comparing
constexpr int kDigitBits = 8, kDigits = 1 << kDigitBits;

// An unsigned integer with the order of a number.
template <class T>
auto key_of(T value) {
  using Key = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  constexpr Key kSign = Key{1} << (8 * sizeof(T) - 1);
  if constexpr (std::is_floating_point_v<T>) {
    if (value != value) return static_cast<Key>(~Key{0});
    value += T(0);  // -0 becomes 0
  }
  Key bits;
  std::memcpy(&bits, &value, sizeof bits);
  if (std::is_floating_point_v<T> && (bits & kSign) != 0) return static_cast<Key>(~bits);
  return static_cast<Key>(bits ^ kSign);
}

template <class Key>
struct Entry {
  Key key;
  uint32_t place;
  bool operator<(const Entry& other) const {
    return key != other.key ? key < other.key : place < other.place;
  }
};

// Sorts by key, one digit after the other from the lowest; stable. Digits that all share take no
// pass.
template <class Key>
void radix_sort(std::vector<Entry<Key>>& entries, std::vector<Entry<Key>>& room) {
  constexpr int kPasses = sizeof(Key) * 8 / kDigitBits;
  std::array<std::array<uint32_t, kDigits>, kPasses> counts{};
  for (const auto& entry : entries) {
    for (int pass = 0; pass < kPasses; ++pass) {
      ++counts[pass][entry.key >> (kDigitBits * pass) & (kDigits - 1)];
    }
  }
  room.resize(entries.size());
  for (int pass = 0; pass < kPasses; ++pass) {
    const int shift = kDigitBits * pass;
    auto& count = counts[pass];
    if (count[entries[0].key >> shift & (kDigits - 1)] == entries.size()) continue;
    uint32_t before = 0;
    for (auto& of_digit : count) of_digit = std::exchange(before, before + of_digit);
    for (const auto& entry : entries) room[count[entry.key >> shift & (kDigits - 1)]++] = entry;
    entries.swap(room);
  }
}

// body(row, entries of the row, room) for all rows; entries in descending order are in ascending
// order of their keys' complements.
template <class T, class Body>
void for_rows(const OrderProblem& p, const T* input, const Body& body) {
  using Key = decltype(key_of(T{}));
  const int64_t grain = std::max<int64_t>(1, kGrain / std::max<int64_t>(1, p.size));
  parallel_for(p.rows, grain, [&](int64_t begin, int64_t end) {
    std::vector<Entry<Key>> entries, room;
    for (int64_t row = begin; row < end; ++row) {
      entries.resize(p.size);
      const T* from = input + row * p.size;
      for (int64_t i = 0; i < p.size; ++i) {
        const Key key = key_of(from[i]);
        entries[i] = {p.descending ? static_cast<Key>(~key) : key, static_cast<uint32_t>(i)};
      }
      body(row, entries, room);
    }
  });
}

}  // namespace

template <class T>
void sort_rows(const OrderProblem& p, const T* input, T* values, int64_t* places) {
  if (p.first == 0) return;
  for_rows(p, input, [&](int64_t row, auto& entries, auto& room) {
    const auto middle = entries.begin() + p.first;
    if (p.first > p.size / 8 && p.size >= kRadixFrom) {
      radix_sort(entries, room);
    } else {
      if (p.first < p.size) std::nth_element(entries.begin(), middle - 1, entries.end());
      std::sort(entries.begin(), middle);
    }
    for (int64_t i = 0; i < p.first; ++i) {
      const uint32_t place = entries[i].place;
      values[row * p.first + i] = input[row * p.size + place];
      places[row * p.first + i] = place;
    }
  });
}

template <class T>
void select_rows(const OrderProblem& p, const T* input, T* values, int64_t* places) {
  for_rows(p, input, [&](int64_t row, auto& entries, auto&) {
    const auto wanted = entries.begin() + (p.first - 1);
    std::nth_element(entries.begin(), wanted, entries.end());
    values[row] = input[row * p.size + wanted->place];
    places[row] = wanted->place;
  });
}

#define MINIDL_ORDERED(T)                                                  \
  template void sort_rows<T>(const OrderProblem&, const T*, T*, int64_t*); \
  template void select_rows<T>(const OrderProblem&, const T*, T*, int64_t*);
MINIDL_ORDERED(float)
MINIDL_ORDERED(double)
MINIDL_ORDERED(int32_t)
MINIDL_ORDERED(int64_t)

}  // namespace minidl::cpu
