#include "cpu/copy.h"

#include "cpu/simd/gemm_pack.h"

namespace minidl::cpu::MINIDL_ISA {
namespace {

template <typename Word>
MINIDL_INLINE void turn_some(int64_t rows, int64_t columns, const Word* from, int64_t from_column,
                             Word* to, int64_t to_row) {
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) to[i * to_row + j] = from[i + j * from_column];
  }
}

// Blocks of lanes x lanes elements in registers; what is left of rows and columns one by one.
template <typename T, typename Word>
void turn_blocks(int64_t rows, int64_t columns, const Word* words, int64_t from_column, Word* out,
                 int64_t to_row) {
  static_assert(sizeof(T) == sizeof(Word));
  constexpr int64_t L = kLanes<T>;
  const T* from = reinterpret_cast<const T*>(words);
  T* to = reinterpret_cast<T*>(out);
  const int64_t whole_rows = rows / L * L, whole_columns = columns / L * L;
  for (int64_t i = 0; i < whole_rows; i += L) {
    for (int64_t j = 0; j < whole_columns; j += L) {
      Vec<T> v[L];
#pragma GCC unroll 16
      for (int64_t k = 0; k < L; ++k) v[k] = load(from + i + (j + k) * from_column);
      transpose<T>(v);
#pragma GCC unroll 16
      for (int64_t k = 0; k < L; ++k) store(to + (i + k) * to_row + j, v[k]);
    }
  }
  turn_some(whole_rows, columns - whole_columns, words + whole_columns * from_column, from_column,
            out + whole_columns, to_row);
  turn_some(rows - whole_rows, columns, words + whole_rows, from_column, out + whole_rows * to_row,
            to_row);
}

// Narrow elements: squares that lie in the first cache.
template <typename Word>
void turn_squares(int64_t rows, int64_t columns, const Word* from, int64_t from_column, Word* to,
                  int64_t to_row) {
  constexpr int64_t kSide = 64;
  for (int64_t j = 0; j < columns; j += kSide) {
    const int64_t width = columns - j < kSide ? columns - j : kSide;
    turn_some(rows, width, from + j * from_column, from_column, to + j, to_row);
  }
}

}  // namespace

const CopyKernels copy_kernels{.bytes1 = &turn_squares<uint8_t>,
                               .bytes2 = &turn_squares<uint16_t>,
                               .bytes4 = &turn_blocks<float, uint32_t>,
                               .bytes8 = &turn_blocks<double, uint64_t>};

}  // namespace minidl::cpu::MINIDL_ISA
