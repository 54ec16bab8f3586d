#include "cpu/where.h"

#include <algorithm>
#include <array>

#include "cpu/thread_pool.h"

namespace minidl::cpu {
namespace {

constexpr int64_t kGrain = 32768;  // elements: a few microseconds, where threads begin to pay

template <typename Word>
WhereRun<Word> kernel() {
  if constexpr (sizeof(Word) == 1) return where_kernels().bytes1;
  if constexpr (sizeof(Word) == 2) return where_kernels().bytes2;
  if constexpr (sizeof(Word) == 4) return where_kernels().bytes4;
  if constexpr (sizeof(Word) == 8) return where_kernels().bytes8;
}

// Where row `row` of each operand begins.
std::array<int64_t, 3> offsets(const Walk<3>& walk, int64_t row) {
  std::array<int64_t, 3> result = {};
  for (int axis = walk.rank - 2; axis >= 0; --axis) {
    const int64_t at = row % walk.shape[axis];
    row /= walk.shape[axis];
    for (int i = 0; i < 3; ++i) result[i] += at * walk.strides[i][axis];
  }
  return result;
}

}  // namespace

template <typename Word>
void where(const Walk<3>& walk, const uint8_t* condition, const Word* input, const Word* other,
           Word* out) {
  const int64_t steps[3] = {walk.step(0), walk.step(1), walk.step(2)};
  const int64_t row = walk.row();
  int64_t rows = 1;
  for (int axis = 0; axis + 1 < walk.rank; ++axis) rows *= walk.shape[axis];
  // Elements are cut, not rows: a single long row is as good for several threads as many short
  // ones.
  const auto body = [&](int64_t begin, int64_t end) {
    while (begin < end) {
      const int64_t index = begin / row, first = begin % row;
      const int64_t size = std::min(row - first, end - begin);
      const auto at = offsets(walk, index);
      kernel<Word>()(size, condition + at[0] + first * steps[0], input + at[1] + first * steps[1],
                     other + at[2] + first * steps[2], steps, out + begin);
      begin += size;
    }
  };
  rows* row <= kGrain ? body(0, rows * row) : parallel_for(rows * row, kGrain, body);
}

template void where(const Walk<3>&, const uint8_t*, const uint8_t*, const uint8_t*, uint8_t*);
template void where(const Walk<3>&, const uint8_t*, const uint16_t*, const uint16_t*, uint16_t*);
template void where(const Walk<3>&, const uint8_t*, const uint32_t*, const uint32_t*, uint32_t*);
template void where(const Walk<3>&, const uint8_t*, const uint64_t*, const uint64_t*, uint64_t*);

}  // namespace minidl::cpu
