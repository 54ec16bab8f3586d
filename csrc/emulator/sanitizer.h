// What AddressSanitizer has to be told; nothing in a build without it.
#pragma once

#include <cstddef>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)  // how Clang says it
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace minidl::emulator {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool address_sanitizer = true;
inline void forbid_access(void* begin, std::size_t bytes) {
  __asan_poison_memory_region(begin, bytes);
}
inline void allow_access(void* begin, std::size_t bytes) {
  __asan_unpoison_memory_region(begin, bytes);
}
inline void start_switch(void** fake_stack, const void* bottom, std::size_t size) {
  __sanitizer_start_switch_fiber(fake_stack, bottom, size);
}
inline void finish_switch(void* fake_stack, const void** bottom, std::size_t* size) {
  __sanitizer_finish_switch_fiber(fake_stack, bottom, size);
}
#else
inline constexpr bool address_sanitizer = false;
inline void forbid_access(void*, std::size_t) {}
inline void allow_access(void*, std::size_t) {}
inline void start_switch(void**, const void*, std::size_t) {}
inline void finish_switch(void*, const void**, std::size_t*) {}
#endif

}  // namespace minidl::emulator
