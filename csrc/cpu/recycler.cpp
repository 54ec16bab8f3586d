#include "cpu/recycler.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <mutex>

namespace minidl::cpu {
namespace {

constexpr size_t kHugePage = 2 * 1024 * 1024;

// Sizes are rounded up to eighths of a power of two, so that blocks fit each other's successors and
// at most an eighth is wasted.
size_t rounded(size_t bytes) {
  const size_t step = std::max<size_t>(4096, size_t{1} << (60 - __builtin_clzll(bytes | 1)));
  return (bytes + step - 1) / step * step;
}

void* new_block(size_t bytes) {
  const size_t alignment = bytes >= 2 * kHugePage ? kHugePage : 64;
  void* block = nullptr;
  if (posix_memalign(&block, alignment, bytes) != 0) return nullptr;
#if defined(MADV_HUGEPAGE)
  // Fewer faults and fewer TLB misses; a kernel without huge pages refuses, and nothing is lost.
  if (alignment == kHugePage) (void)madvise(block, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  return block;
}

struct Block {
  void* memory;
  size_t bytes;
};

size_t limit() {
  static const size_t bytes = [] {
    const char* text = std::getenv("MINIDL_CPU_CACHE");
    return (text == nullptr ? size_t{512} : std::strtoull(text, nullptr, 10)) << 20;
  }();
  return bytes;
}

class Idle {
 public:
  // The block of that size that was given back last: the likeliest to be in a cache. Null if none.
  void* take(size_t bytes) {
    std::lock_guard lock(guard_);
    const auto found = std::find_if(blocks_.rbegin(), blocks_.rend(),
                                    [bytes](const Block& b) { return b.bytes == bytes; });
    if (found == blocks_.rend()) return nullptr;
    void* memory = found->memory;
    blocks_.erase(std::next(found).base());
    total_ -= bytes;
    return memory;
  }

  void give(Block block, size_t most) {
    std::lock_guard lock(guard_);
    blocks_.push_back(block);
    total_ += block.bytes;
    while (total_ > most) {
      std::free(blocks_.front().memory);
      total_ -= blocks_.front().bytes;
      blocks_.pop_front();
    }
  }

  size_t total() {
    std::lock_guard lock(guard_);
    return total_;
  }

 private:
  std::mutex guard_;
  std::deque<Block> blocks_;  // idle longest first
  size_t total_ = 0;
};

Idle& idle() {
  static Idle* const kept = new Idle;  // never destroyed: arrays may outlive static destruction
  return *kept;
}

}  // namespace

void* take_block(size_t bytes) {
  if (bytes < kRecycledBytes) return std::malloc(std::max<size_t>(bytes, 1));
  if (bytes > SIZE_MAX / 2) return nullptr;
  const size_t size = rounded(bytes);
  if (void* block = idle().take(size)) return block;
  if (void* block = new_block(size)) return block;
  release_blocks();  // what lies idle may be what is missing
  return new_block(size);
}

void give_block(void* block, size_t bytes) {
  if (block == nullptr || bytes < kRecycledBytes) return std::free(block);
  idle().give({block, rounded(bytes)}, limit());
}

size_t idle_bytes() { return idle().total(); }

void release_blocks() { idle().give({nullptr, 0}, 0); }

}  // namespace minidl::cpu
