// The inner loops of depthwise convolution (one input and one output channel a group), compiled
// once per instruction-set level. Channels-first arrays have their columns in the lanes of vectors,
// channels-last ones their channels.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace minidl::cpu {

inline constexpr int64_t kPlaneOutputs = 6;

// Points [rows, columns] of up to kPlaneOutputs output channels. Lines of the input are readable a
// vector beyond `columns`.
template <typename T>
struct DepthwisePlane {
  int64_t rows, columns;
  int64_t taps;
  const int64_t* offsets;  // [taps], of a tap's input from the point's place in `input`
  const T* input;
  int64_t input_row;  // steps from row to row, in elements; columns lie side by side
  int64_t output_row;
  int64_t outputs = 1, output_channel = 0;  // channels, and the step from one to the next
};

// The taps of one output point along one axis.
struct DepthwiseTap {
  int64_t input;   // offset of the input's row or column
  int64_t weight;  // offset of the weight's row or column
};

// One row of points of all channels.
template <typename T>
struct DepthwiseRow {
  int64_t columns, channels;
  int64_t row_taps;
  const DepthwiseTap* rows;  // [row_taps]
  const DepthwiseTap* taps;  // of the columns, one after the other
  const int64_t* first_tap;  // [columns + 1] into `taps`
  const T* input;
  const T* weight;  // [tap][channels]
  const T* bias;    // [channels] or null
  int64_t output_column;
  // Columns [low, high) have all taps, those of a column input_step elements after its neighbour's.
  int64_t low, high, input_step;
};

template <typename T>
struct DepthwiseKernels {
  int64_t lanes;
  // to[row][column] = from[row][column]; steps from row to row in elements
  void (*copy)(int64_t rows, int64_t columns, const T* from, int64_t from_row, T* to,
               int64_t to_row);
  // output[channel][row][column] = bias[channel] + the sum over taps of input *
  // weight[tap][channel]; bias may be null
  void (*plane)(const DepthwisePlane<T>& job, const T* weight, const T* bias, T* output);
  // sums[tap][lane] += the sum over points of input * grad[row][column]
  void (*plane_sums)(const DepthwisePlane<T>& job, const T* grad, T* sums);
  // output[column][channel] = bias + the sum over taps of input * weight
  void (*row)(const DepthwiseRow<T>& job, T* output);
  // sums[channels] += the sum over points of a[point][channel] * b[point][channel], given steps
  void (*row_sums)(int64_t points, int64_t channels, const T* a, int64_t a_step, const T* b,
                   int64_t b_step, T* sums);
};
MINIDL_KERNEL_TABLES(DepthwiseKernels, depthwise_kernels)

}  // namespace minidl::cpu
