#include "cpu/gemm.h"

#include "cpu/simd/gemm_blocks.h"
#include "cpu/thread_pool.h"

namespace minidl::cpu::MINIDL_ISA {
namespace {

template <typename T>
int64_t packed_size(int64_t K, int64_t N) {
  return room_for<kPanelB<T>>(N, K);
}

template <typename T>
void pack(int64_t K, int64_t N, const Matrix<T>& b, T* packed) {
  pack_all<kPanelB<T>>(columns_of(b).lines, N, K, packed);
}

// A packed form of all lines of one operand, made by all threads.
template <int64_t kPanel, typename T>
PackedLines<kPanel, T> pack_shared(const Lines<T>& from, int64_t lines, int64_t K) {
  const int64_t bytes = static_cast<int64_t>(sizeof(T)) * room_for<kPanel>(lines, K);
  T* packed = static_cast<T*>(thread_scratch(Slot::gemm_shared, bytes));
  const int64_t panels = (lines + kPanel - 1) / kPanel;
  const Stretches stretches(K);
  parallel_for(panels, 4, [&](int64_t begin, int64_t end) {
    stretches.each([&](int64_t k, int64_t depth, bool, bool) {
      pack_some<kPanel>(from, lines, begin, end - begin, k, depth, packed);
    });
  });
  return {packed, round_up(lines, kPanel)};
}

template <typename T>
void multiply_parallel(const GemmShape& shape, const Matrix<T>& a, const Matrix<T>& b,
                       const GemmResult<T>& result) {
  const auto [M, N, K] = shape;
  if (M <= 0 || N <= 0) return;
  if (M * N * K < 64 * 64 * 64) return multiply(shape, a, b, result);
  if (M >= N) {
    const PackedB<T> packed = pack_shared<kPanelB<T>>(columns_of(b).lines, N, K);
    const int64_t grain = kPanelA<T> * 8;
    parallel_for(M, grain, [&](int64_t begin, int64_t end) {
      multiply_range<T>(begin, end - begin, 0, N, K, rows_of(a), packed, result);
    });
  } else {
    const PackedA<T> packed = pack_shared<kPanelA<T>>(rows_of(a).lines, M, K);
    const int64_t grain = kPanelB<T> * 4;
    parallel_for(N, grain, [&](int64_t begin, int64_t end) {
      multiply_range<T>(0, M, begin, end - begin, K, packed, columns_of(b), result);
    });
  }
}

}  // namespace

MINIDL_FILL_TABLES(GemmKernels, gemm_kernels, .multiply = &multiply<T>,
                   .multiply_parallel = &multiply_parallel<T>, .packed_size = &packed_size<T>,
                   .pack = &pack<T>, .multiply_packed = &multiply_packed<T>)

}  // namespace minidl::cpu::MINIDL_ISA
