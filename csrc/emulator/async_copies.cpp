#include "emulator/async_copies.h"

#include <cstring>

#include "emulator/shared_memory.h"

namespace minidl::emulator {
namespace {

void perform(const AsyncCopy& copy) {
  if (copy.source_bytes) std::memcpy(copy.to, copy.from, copy.source_bytes);
  std::memset(copy.to + copy.source_bytes, 0, copy.bytes - copy.source_bytes);
}

}  // namespace

void AsyncCopies::start(const AsyncCopy& copy, bool completes_early) {
  if (completes_early) return perform(copy);
  for (std::size_t i = 0; i < copy.bytes; i += 4) std::memcpy(copy.to + i, &poison_word, 4);
  copies_.push_back(copy);
}

void AsyncCopies::wait(std::size_t pending) {
  if (ends_.size() <= pending) return;
  const std::size_t groups = ends_.size() - pending, count = ends_[groups - 1];
  complete(count);
  ends_.erase(ends_.begin(), ends_.begin() + static_cast<std::ptrdiff_t>(groups));
  for (std::size_t& end : ends_) end -= count;
}

void AsyncCopies::wait_all() {
  complete(copies_.size());
  ends_.clear();
}

void AsyncCopies::clear() {
  copies_.clear();
  ends_.clear();
}

void AsyncCopies::complete(std::size_t count) {
  const auto end = copies_.begin() + static_cast<std::ptrdiff_t>(count);
  for (auto copy = copies_.begin(); copy != end; ++copy) perform(*copy);
  copies_.erase(copies_.begin(), end);
}

}  // namespace minidl::emulator
