// Memory between fences for builds without AddressSanitizer.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

namespace minidl::testing {

// A buffer ends where memory does that nobody may touch. What is left before it on its pages, and
// the few bytes that its alignment leaves behind it, are all ones, NaN as numbers: what is read
// there shows, and what is written there ends the program.
template <class T>
struct FencedAllocator {
  using value_type = T;
  static constexpr std::size_t page = 4096, alignment = 16;

  FencedAllocator() = default;
  template <class U>
  FencedAllocator(const FencedAllocator<U>&) {}
  bool operator==(const FencedAllocator&) const { return true; }

  T* allocate(std::size_t count) {
    const Size size(count);
    void* const begin = mmap(nullptr, size.pages + page, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (begin == MAP_FAILED) throw std::bad_alloc();
    std::memset(begin, 0xff, size.pages);
    std::byte* const end = static_cast<std::byte*>(begin) + size.pages;
    mprotect(end, page, PROT_NONE);
    return reinterpret_cast<T*>(end - size.aligned);
  }

  void deallocate(T* data, std::size_t count) {
    const Size size(count);
    std::byte* const first = reinterpret_cast<std::byte*>(data);
    std::byte* const end = first + size.aligned;
    const auto kept = [](std::byte byte) { return byte == std::byte{0xff}; };
    if (!std::all_of(end - size.pages, first, kept) ||
        !std::all_of(first + size.bytes, end, kept)) {
      std::printf("FAILED: something wrote beside an array of %zu bytes\n", size.bytes);
      std::fflush(stdout);
      std::abort();
    }
    munmap(end - size.pages, size.pages + page);
  }

 private:
  struct Size {
    std::size_t bytes, aligned, pages;  // `pages` has a page at least that is before the buffer
    explicit Size(std::size_t count)
        : bytes(count * sizeof(T)),
          aligned((bytes + alignment - 1) / alignment * alignment),
          pages((aligned + page - 1) / page * page + page) {}
  };
};

}  // namespace minidl::testing
