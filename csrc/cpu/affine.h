// Affine maps of channels-last images, float and double. Letters: N images, H rows, W columns, C
// channels. Pixel (r, c) of an output is the input's value at the place
//
//   row = (m00 r + m01 c) + m02     column = (m10 r + m11 c) + m12
//
// in doubles, each operation rounded as in minidl/backends/reference/affine.py, so that a place on
// an edge is on the same side of it. Sums are doubles too: images of one colour keep it. The same
// bits for any number of threads.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace minidl::cpu {

// What lies beyond the edge: cval, the edge's pixel, dcba|abcd|dcba, dcb|abcd|cba, bcd|abcd|abc.
enum class Fill { constant, nearest, reflect, mirror, wrap };

struct Affine {
  int64_t count, height, width, channels;
  bool linear;  // between four pixels; else the nearest one
  Fill fill;
  double cval;
};

template <typename T>
struct AffineKernels {
  // output[size, C] = the values of image[H, W, C] at places rows[size], columns[size], which are
  // overwritten. No pixel is read beyond the image, wherever a place is; one that is no number
  // gives NaN.
  void (*values)(const Affine& p, const T* image, int64_t size, double* rows, double* columns,
                 T* output);
};
MINIDL_KERNEL_TABLES(AffineKernels, affine_kernels)

// images, output [N, H, W, C], of at least one element   matrices [N, 2, 3], row-major: m00 m01 m02
// m10 m11 m12
template <typename T>
void affine(const Affine& p, const T* images, const double* matrices, T* output);

}  // namespace minidl::cpu
