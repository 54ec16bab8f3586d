#include "emulator/shared_memory.h"

#include <cstring>

#include "common/checks.h"
#include "emulator/sanitizer.h"

namespace minidl::emulator {
namespace {

constexpr std::size_t fence_bytes = 1024;
constexpr std::size_t alignment = 1024;  // what swizzled tiles want

std::byte poison_byte(std::size_t address) {
  return static_cast<std::byte>(poison_word >> (8 * (address % 4)));
}

}  // namespace

SharedMemory::SharedMemory(std::size_t bytes)
    : bytes_(bytes), storage_(new std::byte[bytes + 2 * fence_bytes + alignment]) {
  const auto begin = reinterpret_cast<std::uintptr_t>(storage_.get()) + fence_bytes;
  data_ = reinterpret_cast<std::byte*>((begin + alignment - 1) & ~(alignment - 1));
  fence_ = data_ - fence_bytes;
  for (std::size_t i = 0; i < bytes_ + 2 * fence_bytes; ++i) fence_[i] = poison_byte(i);
  forbid_access(fence_, fence_bytes);
  forbid_access(data_ + bytes_, fence_bytes);
}

SharedMemory::~SharedMemory() { allow_access(fence_, bytes_ + 2 * fence_bytes); }

void SharedMemory::poison() {
  for (std::size_t i = 0; i + 4 <= bytes_; i += 4) std::memcpy(data_ + i, &poison_word, 4);
}

void SharedMemory::check(const char* kernel) const {
  if (address_sanitizer) return;
  for (std::size_t i = 0; i < 2 * fence_bytes; ++i) {
    const bool before = i < fence_bytes;
    const std::size_t address = before ? i : i + bytes_;
    if (fence_[address] == poison_byte(address)) continue;
    const auto distance = before ? fence_bytes - i : i - fence_bytes;
    throw std::runtime_error(concat("emulator: kernel '", kernel, "' wrote outside its ", bytes_,
                                    " bytes of shared memory: ", distance, " bytes ",
                                    before ? "before the start" : "past the end"));
  }
}

}  // namespace minidl::emulator
