// From a dtype known at run time to a C++ type, by a lambda:
//   dispatch_floating(x.dtype, [&](auto type) { using T = typename decltype(type)::type; ... });
// The lambda's result is returned; a dtype outside the list throws TypeMismatch.
#pragma once

#include <cstdint>
#include <utility>

#include "common/checks.h"
#include "common/half.h"

namespace minidl {

enum class DType : uint8_t {
  boolean,
  uint8,
  uint16,
  uint32,
  uint64,
  int8,
  int16,
  int32,
  int64,
  float16,
  bfloat16,
  float32,
  float64
};

inline const char* name(DType dtype) {
  constexpr const char* names[] = {"bool",     "uint8",   "uint16", "uint32", "uint64",
                                   "int8",     "int16",   "int32",  "int64",  "float16",
                                   "bfloat16", "float32", "float64"};
  return names[static_cast<int>(dtype)];
}

inline int64_t item_bytes(DType dtype) {
  constexpr int bytes[] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8};
  return bytes[static_cast<int>(dtype)];
}

template <class T>
struct Type {
  using type = T;
};

// float32 and float64
template <class Body>
decltype(auto) dispatch_real(DType dtype, Body&& body) {
  switch (dtype) {
    case DType::float32:
      return std::forward<Body>(body)(Type<float>{});
    case DType::float64:
      return std::forward<Body>(body)(Type<double>{});
    default:
      throw TypeMismatch(concat("expected float32 or float64, got ", name(dtype)));
  }
}

// float16 and bfloat16 too, which convert through float (see accumulator_t)
template <class Body>
decltype(auto) dispatch_floating(DType dtype, Body&& body) {
  switch (dtype) {
    case DType::float16:
      return std::forward<Body>(body)(Type<Half>{});
    case DType::bfloat16:
      return std::forward<Body>(body)(Type<BFloat16>{});
    default:
      return dispatch_real(dtype, std::forward<Body>(body));
  }
}

}  // namespace minidl
