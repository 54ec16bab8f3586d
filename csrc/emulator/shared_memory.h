// The shared memory of an emulated block: poisoned before a block runs, fenced by canaries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace minidl::emulator {

// A NaN as float, as either half of a double, and a huge number as an integer: what was never
// written shows up in the result, or as a wild index.
inline constexpr std::uint32_t poison_word = 0x7FF7A5A5;

class SharedMemory {
 public:
  explicit SharedMemory(std::size_t bytes);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  std::byte* data() const { return data_; }
  void poison();

  // Throws std::runtime_error that says where if a block wrote outside. Under AddressSanitizer the
  // fences may not be touched at all, so reads are caught too, at the line that makes them.
  void check(const char* kernel) const;

 private:
  std::size_t bytes_;
  std::unique_ptr<std::byte[]> storage_;
  std::byte* fence_;  // the first fence
  std::byte* data_;   // what the block sees; the second fence follows it
};

}  // namespace minidl::emulator
