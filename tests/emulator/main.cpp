// Runs all tests, or those whose name contains the first argument, with a second one up to the
// first that fails; the exit status is the number of failures.
#include <chrono>
#include <cstdio>
#include <cstring>

#include "check.h"

int main(int count, char** arguments) {
  int failures = 0, ran = 0;
  for (const auto& test : minidl::testing::tests()) {
    if (count > 1 && !std::strstr(test.name, arguments[1])) continue;
    ++ran;
    const auto start = std::chrono::steady_clock::now();
    const char* outcome = "ok";
    try {
      test.run();
    } catch (const std::exception& error) {
      ++failures;
      outcome = "FAILED";
      std::printf("%s\n", error.what());
    }
    const auto elapsed = std::chrono::steady_clock::now() - start;
    std::printf("%-6s %s (%.0f ms)\n", outcome, test.name,
                std::chrono::duration<double, std::milli>(elapsed).count());
    std::fflush(stdout);
    if (failures && count > 2) break;
  }
  std::printf("%d of %d tests failed\n", failures, ran);
  return failures || !ran;
}
