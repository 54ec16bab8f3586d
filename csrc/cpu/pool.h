// Maximum and mean over windows on the CPU, float and double, with their gradients.
//
// Arrays are C-contiguous and do not overlap: a plane is one channel of one image, input [planes,
// *size], output [planes, *out]. Threads share planes; every kernel gives the same bits for any
// number of threads.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "cpu/extent.h"

namespace minidl::cpu {

struct MaxPoolProblem {
  int64_t planes;
  Extent size, kernel, out, stride, padding, dilation;
};

// output = the largest value of each window, offsets = the flat index of its tap inside the kernel.
// Of equal values the first wins; a NaN wins, the last one of several. A window that misses the
// input altogether gives -infinity. Offset is uint8_t for up to 256 taps, int32_t for more.
template <typename T, typename Offset>
void max_pool(const MaxPoolProblem& problem, const T* input, T* output, Offset* offsets);

// grad_input[planes, *size] = the sum of grad[planes, *out] over the windows that each element won
template <typename T, typename Offset>
void max_pool_grad(const MaxPoolProblem& problem, const T* grad, const Offset* offsets,
                   T* grad_input);

// output[planes, *out] = input[planes, *size] at the taps that won; 0 for a tap outside
template <typename T, typename Offset>
void max_pool_gather(const MaxPoolProblem& problem, const T* input, const Offset* offsets,
                     T* output);

// What one output averages along one dimension: elements [begin, end) of the input, counted as
// `count`.
struct Bin {
  int64_t begin, end, count;
};

struct MeanPoolProblem {
  int64_t planes;
  Extent size, out;
  std::array<std::vector<Bin>, 3> bins;  // bins[d] has out[d] entries
  int64_t divisor;                       // 0: the product of the three counts
};

// Windows cut off at the input's ends; the count leaves out padding, unless count_padding is set.
std::vector<Bin> window_bins(int64_t size, int64_t out, int64_t kernel, int64_t stride,
                             int64_t padding, bool count_padding);

// Bin i from floor(i size / out) to ceil((i + 1) size / out).
std::vector<Bin> adaptive_bins(int64_t size, int64_t out);

// output = the sum over the bins / divisor
template <typename T>
void mean_pool(const MeanPoolProblem& problem, const T* input, T* output);

// grad_input = the sum over the bins that hold an element of grad / divisor
template <typename T>
void mean_pool_grad(const MeanPoolProblem& problem, const T* grad, T* grad_input);

}  // namespace minidl::cpu
