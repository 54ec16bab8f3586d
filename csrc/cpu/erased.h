// A callable and how to call it with two indices: what std::function would be if it did not own, so
// that a call allocates nothing and files of cpu/simd instantiate nothing that levels would share.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace minidl::cpu {

struct Erased {
  const void* body;
  void (*function)(const void* body, int64_t first, int64_t second);

  void operator()(int64_t first, int64_t second) const { function(body, first, second); }
};

// The body has to live as long as what is returned.
template <typename Body>
MINIDL_INLINE Erased erase(const Body& body) {
  return {&body, [](const void* erased, int64_t first, int64_t second) {
            (*static_cast<const Body*>(erased))(first, second);
          }};
}

}  // namespace minidl::cpu
