#include "cpu/conv_depthwise_kernels.h"
#include "cpu/simd/vec.h"

namespace minidl::cpu::MINIDL_ISA {
namespace {

// Vectors whose sums are under way at once: enough to hide the latency of an FMA.
constexpr int kTogether = 4;
// Columns whose sums are under way at once: a weight is read once for all of them.
constexpr int kNeighbours = kVectorBytes == 64 ? 4 : 2;
// Taps whose sums are in registers at once.
constexpr int kTaps = 9;

template <typename T>
void copy(int64_t rows, int64_t columns, const T* from, int64_t from_row, T* to, int64_t to_row) {
  constexpr int64_t n = kLanes<T>;
  for (int64_t row = 0; row < rows; ++row, from += from_row, to += to_row) {
    int64_t column = 0;
    for (; column + n <= columns; column += n) store(to + column, load(from + column));
    if (column < columns)
      store_n(to + column, columns - column, load_n(from + column, columns - column));
  }
}

// Rows [row, row + kRows) of kOutputs channels.
template <int kRows, int kOutputs, typename T>
void plane_rows(const DepthwisePlane<T>& job, int64_t row, const T* weight, const T* bias,
                T* output) {
  constexpr int64_t n = kLanes<T>;
  for (int64_t column = 0; column < job.columns; column += n) {
    const T* const input = job.input + row * job.input_row + column;
    Vec<T> sums[kOutputs][kRows];
#pragma GCC unroll 6
    for (int o = 0; o < kOutputs; ++o) {
      const Vec<T> start = splat(bias == nullptr ? T(0) : bias[o]);
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) sums[o][r] = start;
    }
    for (int64_t t = 0; t < job.taps; ++t) {
      const T* const from = input + job.offsets[t];
      Vec<T> x[kRows];
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) x[r] = load(from + r * job.input_row);
#pragma GCC unroll 6
      for (int o = 0; o < kOutputs; ++o) {
        const T* const w = weight + t * kOutputs + o;
#pragma GCC unroll 4
        for (int r = 0; r < kRows; ++r) sums[o][r] += splat(*w) * x[r];
      }
    }
    const int64_t rest = job.columns - column;
#pragma GCC unroll 6
    for (int o = 0; o < kOutputs; ++o) {
      T* const to = output + o * job.output_channel + row * job.output_row + column;
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        T* const line = to + r * job.output_row;
        rest >= n ? store(line, sums[o][r]) : store_n(line, rest, sums[o][r]);
      }
    }
  }
}

template <int kOutputs, typename T>
void plane_of(const DepthwisePlane<T>& job, const T* weight, const T* bias, T* output) {
  constexpr int kRows = kOutputs == 1 || kVectorBytes == 64 ? 4 : 2;
  int64_t row = 0;
  for (; row + kRows <= job.rows; row += kRows) {
    plane_rows<kRows, kOutputs>(job, row, weight, bias, output);
  }
  for (; row < job.rows; ++row) plane_rows<1, kOutputs>(job, row, weight, bias, output);
}

template <typename T>
void plane(const DepthwisePlane<T>& job, const T* weight, const T* bias, T* output) {
  static_assert(kPlaneOutputs == 6);
  switch (job.outputs) {
    case 1:
      return plane_of<1>(job, weight, bias, output);
    case 2:
      return plane_of<2>(job, weight, bias, output);
    case 3:
      return plane_of<3>(job, weight, bias, output);
    case 4:
      return plane_of<4>(job, weight, bias, output);
    case 5:
      return plane_of<5>(job, weight, bias, output);
    default:
      return plane_of<6>(job, weight, bias, output);
  }
}

// Taps that are too many repeat the last; their sums are dropped.
template <typename T>
void plane_sums(const DepthwisePlane<T>& job, const T* grad, T* sums) {
  constexpr int64_t n = kLanes<T>;
  for (int64_t first = 0; first < job.taps; first += kTaps) {
    const int64_t count = job.taps - first < kTaps ? job.taps - first : kTaps;
    int64_t offsets[kTaps];
    for (int t = 0; t < kTaps; ++t) offsets[t] = job.offsets[first + (t < count ? t : count - 1)];
    Vec<T> partial[kTaps] = {};
    for (int64_t row = 0; row < job.rows; ++row) {
      const T* input = job.input + row * job.input_row;
      const T* g = grad + row * job.output_row;
      int64_t column = 0;
      for (; column + n <= job.columns; column += n) {
        const Vec<T> value = load(g + column);
#pragma GCC unroll 9
        for (int t = 0; t < kTaps; ++t) partial[t] += value * load(input + column + offsets[t]);
      }
      if (column == job.columns) continue;
      const int64_t rest = job.columns - column;
      const Vec<T> value = load_n(g + column, rest);
#pragma GCC unroll 9
      for (int t = 0; t < kTaps; ++t) {
        partial[t] += value * load_n(input + column + offsets[t], rest);
      }
    }
#pragma GCC unroll 9
    for (int t = 0; t < kTaps; ++t) {
      T* const to = sums + (first + t) * n;
      if (t < count) store(to, load(to) + partial[t]);
    }
  }
}

// kColumns neighbours that have the same taps, each one step of the window further.
template <int kColumns, int kVectors, bool kWhole, typename T>
MINIDL_INLINE void row_block(const DepthwiseRow<T>& job, int64_t column, int64_t c, int64_t count,
                             T* output) {
  constexpr int64_t n = kLanes<T>;
  const auto read = [&](const T* from) { return kWhole ? load(from) : load_n(from, count); };
  Vec<T> sums[kColumns][kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    const Vec<T> start = job.bias != nullptr ? read(job.bias + c + v * n) : Vec<T>{};
#pragma GCC unroll 4
    for (int i = 0; i < kColumns; ++i) sums[i][v] = start;
  }
  for (int64_t i = 0; i < job.row_taps; ++i) {
    const T* const input = job.input + job.rows[i].input + c;
    const T* const weight = job.weight + job.rows[i].weight + c;
    for (int64_t k = job.first_tap[column]; k < job.first_tap[column + 1]; ++k) {
      const T* const from = input + job.taps[k].input;
      const T* const w = weight + job.taps[k].weight;
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        const Vec<T> factor = read(w + v * n);
#pragma GCC unroll 4
        for (int j = 0; j < kColumns; ++j) {
          sums[j][v] += read(from + j * job.input_step + v * n) * factor;
        }
      }
    }
  }
#pragma GCC unroll 4
  for (int j = 0; j < kColumns; ++j) {
    T* const to = output + (column + j) * job.output_column + c;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      kWhole ? store(to + v * n, sums[j][v]) : store_n(to + v * n, count, sums[j][v]);
    }
  }
}

template <int kColumns, typename T>
MINIDL_INLINE void columns_block(const DepthwiseRow<T>& job, int64_t column, T* output) {
  constexpr int64_t n = kLanes<T>;
  int64_t c = 0;
  for (; c + kTogether * n <= job.channels; c += kTogether * n) {
    row_block<kColumns, kTogether, true>(job, column, c, n, output);
  }
  for (; c + n <= job.channels; c += n) row_block<kColumns, 1, true>(job, column, c, n, output);
  if (c < job.channels) {
    row_block<kColumns, 1, false>(job, column, c, job.channels - c, output);
  }
}

template <typename T>
void row(const DepthwiseRow<T>& job, T* output) {
  int64_t column = 0;
  while (column < job.columns) {
    if (column >= job.low && column + kNeighbours <= job.high) {
      columns_block<kNeighbours>(job, column, output);
      column += kNeighbours;
    } else {
      columns_block<1>(job, column++, output);
    }
  }
}

template <int kVectors, bool kWhole, typename T>
MINIDL_INLINE void row_sums_block(int64_t points, const T* a, int64_t a_step, const T* b,
                                  int64_t b_step, int64_t count, T* sums) {
  constexpr int64_t n = kLanes<T>;
  Vec<T> partial[kVectors] = {};
  for (int64_t i = 0; i < points; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const T *const x = a + i * a_step + v * n, *const y = b + i * b_step + v * n;
      partial[v] += kWhole ? load(x) * load(y) : load_n(x, count) * load_n(y, count);
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    T* const to = sums + v * n;
    kWhole ? store(to, load(to) + partial[v]) : store_n(to, count, load_n(to, count) + partial[v]);
  }
}

template <typename T>
void row_sums(int64_t points, int64_t channels, const T* a, int64_t a_step, const T* b,
              int64_t b_step, T* sums) {
  constexpr int64_t n = kLanes<T>;
  int64_t c = 0;
  for (; c + kTogether * n <= channels; c += kTogether * n) {
    row_sums_block<kTogether, true>(points, a + c, a_step, b + c, b_step, n, sums + c);
  }
  for (; c + n <= channels; c += n) {
    row_sums_block<1, true>(points, a + c, a_step, b + c, b_step, n, sums + c);
  }
  if (c < channels) {
    row_sums_block<1, false>(points, a + c, a_step, b + c, b_step, channels - c, sums + c);
  }
}

}  // namespace

MINIDL_FILL_TABLES(DepthwiseKernels, depthwise_kernels, .lanes = kLanes<T>, .copy = &copy<T>,
                   .plane = &plane<T>, .plane_sums = &plane_sums<T>, .row = &row<T>,
                   .row_sums = &row_sums<T>)

}  // namespace minidl::cpu::MINIDL_ISA
