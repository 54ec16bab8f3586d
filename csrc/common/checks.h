// Checks that throw with the values that failed them:
//   MINIDL_CHECK(weight.rank == 4, "weight must have 4 dimensions, got ", weight.rank);
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace minidl {

// NotImplementedError in Python.
struct NotSupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// TypeError in Python.
struct TypeMismatch : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
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
