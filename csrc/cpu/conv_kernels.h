// The inner loops of convolution, compiled once per instruction-set level (cpu/simd/conv*.cpp);
// cpu/conv*.cpp cuts a convolution into calls of them.
//
// Images are channels-last here: the channels of a point lie side by side, so the inputs under one
// row of a window are a single run of memory and nothing has to be unrolled.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace minidl::cpu {

// One block of output channels at the points of a grid [rows, columns].
template <typename T>
struct ConvTiles {
  int64_t rows, columns;
  int64_t input_row, input_column;    // steps in `input` from point to point, in elements
  int64_t output_row, output_column;  // and in `output`
  int64_t segments, length;           // a window is `segments` runs of `length` inputs
  const int64_t* offsets;             // [segments], from a point's place in `input`
  const T* weight;                    // [segments, length, block], zero beyond `channels`
  const T* bias;                      // [block] or null
  int64_t channels;                   // of the block that exist, > 0
  const T* input;
  T* output;  // [point][channels]
};

// The gradient of one run of a window's weight: sums over the points of grids [rows, columns] in
// several images.
template <typename T>
struct ConvWeightTiles {
  int64_t images, rows, columns;
  int64_t input_image, input_row, input_column;  // steps in `input`, in elements
  int64_t grad_image, grad_row, grad_column;     // and in `grad`
  int64_t length;                                // of the run; one more is read where it is odd
  const T* input;                                // the run of the first point
  const T* grad;                                 // [point][block]; readable for whole blocks
  T* sums;                                       // [length, block], added to
};

template <typename T>
struct ConvKernels {
  int64_t lanes;  // of a vector; a block of channels is `block` of them or, at the end, `lanes`
  int64_t block;
  // to[c, r] = from[r, c] for from [rows, columns]; pitches in elements
  void (*transpose)(int64_t rows, int64_t columns, const T* from, int64_t from_pitch, T* to,
                    int64_t to_pitch);
  // output[point, channel] = bias + the sum over the window of input * weight; block or lanes wide
  void (*tiles)(const ConvTiles<T>& job, bool wide);
  // sums[l, channel] += the sum over points of input[point + l] * grad[point, channel]
  void (*weight_tiles)(const ConvWeightTiles<T>& job, bool wide);
};
MINIDL_KERNEL_TABLES(ConvKernels, conv_kernels)

}  // namespace minidl::cpu
