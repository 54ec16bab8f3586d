#include "cpu/elementwise.h"

#include <algorithm>
#include <cstring>

#include "cpu/thread_pool.h"

namespace minidl::cpu {
namespace {

constexpr int64_t kBlockElements = 2048;  // of an operand that is brought into the result's order
constexpr int64_t kTransposedColumns = 128;
constexpr int64_t kShortRow = 512;
constexpr int64_t kLongRow = 8192;

// Elements that a thread takes at a time: enough work to be worth waking it.
int64_t grain_of(int weight) { return (65536 / weight + 63) / 64 * 64; }

// The last two axes of a walk, (R, C), cut into blocks of rows x columns; a block is handed to the
// kernel at once where possible. Operands that do not run as the result does are copied into its
// order first, a block at a time: a transposed one by tiles, so that its cache lines are used
// whole, and rows that are too short for a call of their own together with their neighbours.
template <class T>
class Blocks {
 public:
  Blocks(const ElementwiseCall<T>& call, const Walk<kMaxOperands>& walk)
      : call_(call), walk_(walk), total_columns_(walk.row()) {
    total_rows_ = walk.rank < 2 ? 1 : walk.shape[walk.rank - 2];
    bool transposed = false;
    for (int i = 0; i < kMaxOperands; ++i) {
      row_step_[i] = walk.rank < 2 ? 0 : walk.strides[i][walk.rank - 2];
      column_step_[i] = walk.step(i);
      transposed |= row_step_[i] == 1 && column_step_[i] != 1 && column_step_[i] != 0;
    }
    columns_ = std::min(total_columns_, transposed ? kTransposedColumns : kLongRow);
    rows_ = 1;
    if (transposed || columns_ < kShortRow) {
      rows_ = std::clamp<int64_t>(kBlockElements / columns_, 1, total_rows_);
    }
    across_ = (total_columns_ - 1) / columns_ + 1;
    down_ = (total_rows_ - 1) / rows_ + 1;
  }

  int64_t count() const {
    int64_t blocks = across_ * down_;
    for (int axis = 0; axis < walk_.rank - 2; ++axis) blocks *= walk_.shape[axis];
    return blocks;
  }

  int64_t grain() const {
    return std::max<int64_t>(1, grain_of(call_.weight) / (rows_ * columns_));
  }

  void run(int64_t begin, int64_t end) const {
    alignas(64) T packed[kMaxOperands][kBlockElements];
    for (int64_t block = begin; block < end; ++block) run(block, packed);
  }

 private:
  void run(int64_t block, T (&packed)[kMaxOperands][kBlockElements]) const {
    const int64_t first_column = block % across_ * columns_;
    const int64_t first_row = block / across_ % down_ * rows_;
    const int64_t outer = block / across_ / down_;
    const int64_t columns = std::min(columns_, total_columns_ - first_column);
    const int64_t rows = std::min(rows_, total_rows_ - first_row);
    T* out = call_.out + (outer * total_rows_ + first_row) * total_columns_ + first_column;
    const T* at[kMaxOperands];
    for (int i = 0; i < kMaxOperands; ++i) {
      at[i] = call_.operands[i] + offset(outer, i) + first_row * row_step_[i] +
              first_column * column_step_[i];
    }
    if (rows == 1) return call_.run(columns, at, column_step_, call_.numbers, out);
    int64_t row_steps[kMaxOperands];
    for (int i = 0; i < kMaxOperands; ++i) {
      row_steps[i] = row_step_[i];
      const bool whole = columns == total_columns_;  // rows follow upon each other in the result
      if (column_step_[i] == 1 && (!whole || row_step_[i] == columns)) continue;
      pack(at[i], rows, row_step_[i], columns, column_step_[i], packed[i]);
      at[i] = packed[i];
      row_steps[i] = columns;
    }
    static constexpr int64_t kOnes[kMaxOperands] = {1, 1};
    if (columns == total_columns_) {
      return call_.run(rows * columns, at, kOnes, call_.numbers, out);
    }
    for (int64_t row = 0; row < rows; ++row) {
      call_.run(columns, at, kOnes, call_.numbers, out + row * total_columns_);
      for (int i = 0; i < kMaxOperands; ++i) at[i] += row_steps[i];
    }
  }

  int64_t offset(int64_t outer, int operand) const {
    int64_t sum = 0;
    for (int axis = walk_.rank - 3; axis >= 0; --axis) {
      sum += outer % walk_.shape[axis] * walk_.strides[operand][axis];
      outer /= walk_.shape[axis];
    }
    return sum;
  }

  static void pack(const T* from, int64_t rows, int64_t row_step, int64_t columns,
                   int64_t column_step, T* __restrict to) {
    if (row_step == 1 && column_step != 0) {
      for (int64_t column = 0; column < columns; ++column) {
        for (int64_t row = 0; row < rows; ++row) {
          to[row * columns + column] = from[row + column * column_step];
        }
      }
      return;
    }
    for (int64_t row = 0; row < rows; ++row, from += row_step, to += columns) {
      if (column_step == 1) {
        std::memcpy(to, from, static_cast<size_t>(columns) * sizeof(T));
      } else if (column_step == 0) {
        std::fill_n(to, columns, *from);
      } else {
        for (int64_t column = 0; column < columns; ++column)
          to[column] = from[column * column_step];
      }
    }
  }

  const ElementwiseCall<T>& call_;
  const Walk<kMaxOperands>& walk_;
  int64_t total_rows_, total_columns_;
  int64_t rows_, columns_;  // of a block
  int64_t down_, across_;   // blocks
  int64_t row_step_[kMaxOperands], column_step_[kMaxOperands];
};

}  // namespace

template <typename T>
void elementwise_flat(const ElementwiseCall<T>& call, int64_t size, const int64_t* steps) {
  const int64_t grain = grain_of(call.weight);
  if (size <= grain) return call.run(size, call.operands, steps, call.numbers, call.out);
  parallel_for(size, grain, [&](int64_t begin, int64_t end) {
    const T* at[kMaxOperands];
    for (int i = 0; i < kMaxOperands; ++i) at[i] = call.operands[i] + begin * steps[i];
    call.run(end - begin, at, steps, call.numbers, call.out + begin);
  });
}

template <typename T>
void elementwise_walk(const ElementwiseCall<T>& call, const Walk<kMaxOperands>& walk) {
  const Blocks<T> blocks(call, walk);
  if (blocks.count() <= blocks.grain()) return blocks.run(0, blocks.count());
  parallel_for(blocks.count(), blocks.grain(),
               [&](int64_t begin, int64_t end) { blocks.run(begin, end); });
}

template void elementwise_flat(const ElementwiseCall<float>&, int64_t, const int64_t*);
template void elementwise_flat(const ElementwiseCall<double>&, int64_t, const int64_t*);
template void elementwise_walk(const ElementwiseCall<float>&, const Walk<kMaxOperands>&);
template void elementwise_walk(const ElementwiseCall<double>&, const Walk<kMaxOperands>&);

}  // namespace minidl::cpu
