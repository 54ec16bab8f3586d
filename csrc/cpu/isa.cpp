#include "cpu/isa.h"

#include <cstdlib>
#include <string_view>
#include <utility>

namespace minidl::cpu {
namespace {

Isa best_of_machine() {
#if defined(__x86_64__)
  const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                  __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("f16c");
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl");
  return v4 ? Isa::v4 : v3 ? Isa::v3 : Isa::v2;
#else
  return Isa::generic;
#endif
}

struct Choice {
  Isa level;
  const char* complaint;
};

Choice choose() {
  const Isa best = best_of_machine();
  const char* wish = std::getenv("MINIDL_CPU");
  if (wish == nullptr || *wish == '\0') return {best, nullptr};
  const std::string_view name = wish;
  for (const auto& [text, level] :
       {std::pair{"v2", Isa::v2}, std::pair{"v3", Isa::v3}, std::pair{"v4", Isa::v4}}) {
    if (name != text) continue;
    if (level > best) return {best, "MINIDL_CPU asks for more than this processor has; ignored"};
    return {level, nullptr};
  }
  return {best, "MINIDL_CPU must be v2, v3 or v4; ignored"};
}

const Choice& choice() {
  static const Choice chosen = choose();
  return chosen;
}

}  // namespace

Isa isa() { return choice().level; }

const char* isa_complaint() { return choice().complaint; }

const char* isa_name() {
  switch (isa()) {
    case Isa::v4:
      return "x86-64-v4";
    case Isa::v3:
      return "x86-64-v3";
    case Isa::v2:
      return "x86-64-v2";
    case Isa::generic:
      break;
  }
  return "generic";
}

}  // namespace minidl::cpu
