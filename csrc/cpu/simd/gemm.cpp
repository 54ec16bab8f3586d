#include "cpu/gemm.h"

#include "cpu/simd/gemm_blocks.h"
#include "cpu/simd/gemv.h"
#include "cpu/thread_pool.h"

namespace minidl::cpu::MINIDL_ISA {
namespace {

constexpr int64_t kPackedTogether = 16384;  // elements: a few microseconds

template <typename T>
int64_t packed_size(int64_t K, int64_t N) {
  return room_for<kPanelB<T>>(N, K);
}

template <typename T>
int64_t packed_place(int64_t K, int64_t N, int64_t k, int64_t j) {
  constexpr int64_t Q = kPanelB<T>;
  const int64_t length = Stretches(K).length, first = k / length * length;
  const int64_t depth = smaller(length, K - first);
  return first * round_up(N, Q) + j / Q * Q * depth + (k - first) * Q + j % Q;
}

template <typename T>
void pack(int64_t K, int64_t N, const Matrix<T>& b, T* packed) {
  pack_all<kPanelB<T>>(Lines<T>{b.data, b.col, b.row}, N, K, packed);
}

// A packed form of all lines of one operand, made by all threads.
template <int64_t kPanel, typename T>
PackedLines<kPanel, T> pack_shared(const Lines<T>& from, int64_t lines, int64_t K) {
  const int64_t bytes = static_cast<int64_t>(sizeof(T)) * room_for<kPanel>(lines, K);
  T* packed = static_cast<T*>(thread_scratch(Slot::gemm_shared, bytes));
  const int64_t panels = (lines + kPanel - 1) / kPanel;
  const Stretches stretches(K);
  const int64_t grain = 1 + kPackedTogether / (kPanel * stretches.length);
  // A task is a few panels of one stretch.
  const int64_t across = (panels + grain - 1) / grain;
  parallel_for(across * stretches.count(), 1, [&](int64_t begin, int64_t) {
    const int64_t k = begin / across * stretches.length, first = begin % across * grain;
    pack_some<kPanel>(from, lines, first, smaller(grain, panels - first), k,
                      smaller(stretches.length, K - k), packed);
  });
  return {packed, round_up(lines, kPanel)};
}

template <typename T>
void multiply_parallel(const GemmShape& shape, const Matrix<T>& a, const Matrix<T>& b,
                       const GemmResult<T>& result) {
  const auto [M, N, K] = shape;
  const CutPlan plan = select_cut(shape, kPanelA<T>, kPanelB<T>, get_num_threads());
  if (plan.cut == Cut::none) return multiply(shape, a, b, result);
  if (VectorProduct<T> p; as_vector_product(shape, a, b, result, p)) {
    const int64_t grain = select_grain((p.N + 63) / 64, 1, 1, get_num_threads()) * 64;
    return parallel_for(
        p.N, grain, [&](int64_t begin, int64_t end) { multiply_vector(p.columns(begin, end)); });
  }
  const RowsOfA<T> rows = rows_of(a, shape);
  const ColumnsOfB<T> columns = columns_of(b, shape);
  if (plan.cut == Cut::rows) {
    const PackedB<T> packed = pack_shared<kPanelB<T>>(columns.lines, N, K);
    parallel_for(M, plan.grain, [&](int64_t begin, int64_t end) {
      multiply_range<T>(begin, end - begin, 0, N, K, rows, packed, result);
    });
    return;
  }
  const auto in_pieces = [&](const auto& left) {
    parallel_for(N, plan.grain, [&](int64_t begin, int64_t end) {
      multiply_columns<T>(0, M, begin, end - begin, K, left, columns, result);
    });
  };
  rows.in_place ? in_pieces(rows) : in_pieces(pack_shared<kPanelA<T>>(rows.lines, M, K));
}

}  // namespace

MINIDL_FILL_TABLES(GemmKernels, gemm_kernels, .tile_rows = kPanelA<T>, .tile_cols = kPanelB<T>,
                   .multiply = &multiply<T>, .multiply_parallel = &multiply_parallel<T>,
                   .packed_size = &packed_size<T>, .packed_place = &packed_place<T>,
                   .pack = &pack<T>, .multiply_packed = &multiply_packed<T>)

}  // namespace minidl::cpu::MINIDL_ISA
