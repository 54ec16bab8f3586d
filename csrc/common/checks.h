// Checks that throw with the values that failed them:
//   MINIDL_CHECK(weight.rank == 4, "weight must have 4 dimensions, got ", weight.rank);
#pragma once

#include <cstdio>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace minidl {

// NotImplementedError in Python.
struct NotSupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// TypeError in Python.
struct TypeMismatch : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Not by a stream: a stream asks for a locale, and where a process holds two C++ runtimes (as
// Python's often do) it may find the other one's.
template <class Part>
void append(std::string& text, const Part& part) {
  if constexpr (std::is_same_v<Part, char>) {
    text += part;
  } else if constexpr (std::is_integral_v<Part>) {
    text += std::to_string(part);
  } else if constexpr (std::is_floating_point_v<Part>) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%g", static_cast<double>(part));
    text += digits;
  } else {
    text += part;
  }
}

template <class... Parts>
std::string concat(const Parts&... parts) {
  std::string text;
  (append(text, parts), ...);
  return text;
}

}  // namespace minidl

#define MINIDL_CHECK_AS(Exception, condition, ...)    \
  do {                                                \
    if (!(condition)) [[unlikely]]                    \
      throw Exception(::minidl::concat(__VA_ARGS__)); \
  } while (false)

#define MINIDL_CHECK(condition, ...) \
  MINIDL_CHECK_AS(::std::invalid_argument, condition, __VA_ARGS__)  // ValueError
#define MINIDL_CHECK_INDEX(condition, ...) \
  MINIDL_CHECK_AS(::std::out_of_range, condition, __VA_ARGS__)  // IndexError
#define MINIDL_CHECK_TYPE(condition, ...) \
  MINIDL_CHECK_AS(::minidl::TypeMismatch, condition, __VA_ARGS__)  // TypeError
