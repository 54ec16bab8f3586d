#include "emulator/capability.h"

#include <cctype>
#include <cstdlib>
#include <cstring>

#include "common/checks.h"

namespace minidl::emulator {

int capability_from_environment() {
  const char* text = std::getenv("MINIDL_EMULATOR_CAPABILITY");
  if (!text || !*text) return 90;
  const auto digit = [&](int i) { return std::isdigit(static_cast<unsigned char>(text[i])) != 0; };
  MINIDL_CHECK(std::strlen(text) == 3 && digit(0) && text[1] == '.' && digit(2),
               "MINIDL_EMULATOR_CAPABILITY='", text, "' is no compute capability such as 7.5");
  return 10 * (text[0] - '0') + (text[2] - '0');
}

int multiprocessors_from_environment() {
  const char* text = std::getenv("MINIDL_EMULATOR_MULTIPROCESSORS");
  if (!text || !*text) return 132;
  const int count = std::atoi(text);
  MINIDL_CHECK(count > 0, "MINIDL_EMULATOR_MULTIPROCESSORS='", text, "' is no positive number");
  return count;
}

}  // namespace minidl::emulator
