// A test framework in a page: TEST(name) { ... } registers itself, a failed check throws.
#pragma once

#include <cmath>
#include <cstdlib>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/checks.h"

namespace minidl::testing {

struct Test {
  const char* name;
  void (*run)();
};

inline std::vector<Test>& tests() {
  static std::vector<Test> list;
  return list;
}

struct Registration {
  Registration(const char* name, void (*run)()) { tests().push_back({name, run}); }
};

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Runs `body` with the schedule of MINIDL_EMULATOR_SEED=seed; none is the eager one.
inline void with_seed(std::optional<int> seed, const std::function<void()>& body) {
  seed ? setenv("MINIDL_EMULATOR_SEED", std::to_string(*seed).c_str(), 1)
       : unsetenv("MINIDL_EMULATOR_SEED");
  body();
  unsetenv("MINIDL_EMULATOR_SEED");
}

// Runs `body` under the eager schedule and under four seeds, the last an uneven one.
inline void with_schedules(const std::function<void()>& body) {
  for (const std::optional<int> seed : {std::optional<int>(), std::optional(1), std::optional(2),
                                        std::optional(3), std::optional(4)}) {
    with_seed(seed, body);
  }
}

// The message of what `body` throws. Fails where it throws nothing.
inline std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Failure&) {
    throw;
  } catch (const std::exception& error) {
    unsetenv("MINIDL_EMULATOR_SEED");
    return error.what();
  }
  throw Failure("nothing was thrown");
}

inline void expect_mentions(const std::string& text, std::initializer_list<const char*> parts) {
  for (const char* part : parts) {
    if (text.find(part) == std::string::npos)
      throw Failure(concat("'", part, "' is not in: ", text));
  }
}

inline void expect_same(const std::string& found, const std::string& wanted) {
  if (found != wanted) throw Failure(concat("found ", found, "\nwanted ", wanted));
}

// NaN fails.
inline void expect_close(double found, double wanted, double tolerance, const std::string& where) {
  if (!(std::fabs(found - wanted) <= tolerance * (1 + std::fabs(wanted)))) {
    throw Failure(concat(where, ": found ", found, ", wanted ", wanted));
  }
}

}  // namespace minidl::testing

#define TEST(name)                                                                       \
  static void test_##name();                                                             \
  static const ::minidl::testing::Registration registration_##name{#name, &test_##name}; \
  static void test_##name()

#define EXPECT(condition)                                               \
  do {                                                                  \
    if (!(condition)) {                                                 \
      throw ::minidl::testing::Failure(                                 \
          ::minidl::concat(__FILE__, ":", __LINE__, ": ", #condition)); \
    }                                                                   \
  } while (false)
