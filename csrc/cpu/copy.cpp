#include "cpu/copy.h"

#include <algorithm>
#include <cstring>

#include "cpu/thread_pool.h"

namespace minidl::cpu {
namespace {

constexpr int64_t kBytes = 128 << 10;  // that a task moves: a few microseconds
constexpr int64_t kRows = 64;          // of a matrix that is transposed, a task

template <typename Word>
TurnRun<Word> kernel() {
  if constexpr (sizeof(Word) == 1) return copy_kernels().bytes1;
  if constexpr (sizeof(Word) == 2) return copy_kernels().bytes2;
  if constexpr (sizeof(Word) == 4) return copy_kernels().bytes4;
  if constexpr (sizeof(Word) == 8) return copy_kernels().bytes8;
}

// Where the `index`-th of all axes but `skipped` and the last begins: in the input, and in the
// copy.
struct Place {
  int64_t from = 0, to = 0;

  Place(const CopyAxes& axes, int64_t index, int skipped) {
    const int last = static_cast<int>(axes.shape.size()) - 1;
    int64_t step = axes.shape[last];  // of the copy
    for (int axis = last - 1; axis >= 0; step *= axes.shape[axis--]) {
      if (axis == skipped) continue;
      const int64_t at = index % axes.shape[axis];
      index /= axes.shape[axis];
      from += at * axes.strides[axis];
      to += at * step;
    }
  }
};

template <typename Word>
void copy_rows(const CopyAxes& axes, const Word* input, Word* out) {
  const int64_t row = axes.shape.back(), step = axes.strides.back();
  const int64_t grain = std::max<int64_t>(1, kBytes / static_cast<int64_t>(sizeof(Word)));
  // Elements are cut, not rows: a single long row is as good for several threads as many short
  // ones.
  parallel_for(axes.count(), grain, [&](int64_t begin, int64_t end) {
    while (begin < end) {
      const int64_t first = begin % row, size = std::min(row - first, end - begin);
      const Word* from = input + Place(axes, begin / row, -1).from + first * step;
      if (step == 1) {
        std::memcpy(out + begin, from, static_cast<size_t>(size) * sizeof(Word));
      } else {
        for (int64_t i = 0; i < size; ++i) out[begin + i] = from[i * step];
      }
      begin += size;
    }
  });
}

// `fast` is the axis along which the input lies without gaps.
template <typename Word>
void copy_turned(const CopyAxes& axes, int fast, const Word* input, Word* out) {
  const int last = static_cast<int>(axes.shape.size()) - 1;
  const int64_t rows = axes.shape[fast], columns = axes.shape[last];
  int64_t to_row = 1;
  for (int axis = fast + 1; axis <= last; ++axis) to_row *= axes.shape[axis];
  const int64_t pieces = (rows + kRows - 1) / kRows, piece = std::min(rows, kRows) * columns;
  const int64_t grain = std::max<int64_t>(1, kBytes / (piece * static_cast<int64_t>(sizeof(Word))));
  parallel_for(axes.count() / (rows * columns) * pieces, grain, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const Place place(axes, task / pieces, fast);
      const int64_t first = task % pieces * kRows;
      kernel<Word>()(std::min(kRows, rows - first), columns, input + place.from + first,
                     axes.strides[last], out + place.to + first * to_row, to_row);
    }
  });
}

}  // namespace

void CopyAxes::add(int64_t size, int64_t stride) {
  if (size == 1) return;
  if (!shape.empty() && strides.back() == stride * size) {
    shape.back() *= size;
    strides.back() = stride;
  } else {
    shape.push_back(size);
    strides.push_back(stride);
  }
}

int64_t CopyAxes::count() const {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return count;
}

template <typename Word>
void copy(const CopyAxes& axes, const Word* input, Word* out) {
  if (axes.shape.empty()) {
    *out = *input;
    return;
  }
  if (axes.count() == 0) return;
  const int last = static_cast<int>(axes.shape.size()) - 1;
  for (int axis = 0; axes.strides[last] != 1 && axis < last; ++axis) {
    if (axes.strides[axis] == 1) return copy_turned(axes, axis, input, out);
  }
  copy_rows(axes, input, out);
}

template void copy(const CopyAxes&, const uint8_t*, uint8_t*);
template void copy(const CopyAxes&, const uint16_t*, uint16_t*);
template void copy(const CopyAxes&, const uint32_t*, uint32_t*);
template void copy(const CopyAxes&, const uint64_t*, uint64_t*);

}  // namespace minidl::cpu
