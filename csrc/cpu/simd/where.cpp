#include "cpu/where.h"

namespace minidl::cpu::MINIDL_ISA {
namespace {

// Steps that the compiler knows become vector loads and broadcasts.
template <int64_t kCondition, int64_t kInput, int64_t kOther, typename Word>
void run(int64_t size, const uint8_t* condition, const Word* input, const Word* other, Word* out) {
#pragma GCC ivdep
  for (int64_t i = 0; i < size; ++i) {
    const Word a = input[i * kInput], b = other[i * kOther];
    out[i] = condition[i * kCondition] != 0 ? a : b;
  }
}

template <typename Word>
void where(int64_t size, const uint8_t* condition, const Word* input, const Word* other,
           const int64_t* steps, Word* out) {
  const auto are = [steps](int64_t c, int64_t a, int64_t b) {
    return steps[0] == c && steps[1] == a && steps[2] == b;
  };
  if (are(1, 1, 1)) return run<1, 1, 1>(size, condition, input, other, out);
  if (are(1, 0, 1)) return run<1, 0, 1>(size, condition, input, other, out);
  if (are(1, 1, 0)) return run<1, 1, 0>(size, condition, input, other, out);
  if (steps[0] == 0 && steps[1] == 1 && *condition != 0) {
    return run<0, 1, 0>(size, condition, input, input, out);
  }
  for (int64_t i = 0; i < size; ++i) {
    out[i] = condition[i * steps[0]] != 0 ? input[i * steps[1]] : other[i * steps[2]];
  }
}

}  // namespace

const WhereKernels where_kernels{.bytes1 = &where<uint8_t>,
                                 .bytes2 = &where<uint16_t>,
                                 .bytes4 = &where<uint32_t>,
                                 .bytes8 = &where<uint64_t>};

}  // namespace minidl::cpu::MINIDL_ISA
