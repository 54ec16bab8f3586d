// Maximum and mean over windows on the CPU, float and double, with their gradients.
//
// An array is [outer, *size, inner] without gaps, its result [outer, *out, inner]; they do not
// overlap. Planes (NCHW): outer = N C, inner = 1. Pixels (channels last): outer = N, inner = C.
// Every kernel gives the same bits for any number of threads.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "cpu/extent.h"
#include "cpu/isa.h"

namespace minidl::cpu {

struct MaxPoolProblem {
  int64_t outer, inner;
  Extent size, kernel, out, stride, padding, dilation;
};

template <typename T, typename Offset>
struct MaxPoolPair {
  // output = the largest value of each window, offsets = the flat index of its tap inside the
  // kernel. Of equal values the first wins; a NaN wins, the last one of several. A window that
  // misses the input altogether gives -infinity.
  void (*forward)(const MaxPoolProblem& problem, const T* input, T* output, Offset* offsets);
  // grad_input [outer, *size, inner] = the sum of grad [outer, *out, inner] over the windows that
  // each element won
  void (*backward)(const MaxPoolProblem& problem, const T* grad, const Offset* offsets,
                   T* grad_input);
};

// Offsets take a byte for up to 256 taps, an int32_t for more.
template <typename T>
struct MaxPoolKernels {
  MaxPoolPair<T, uint8_t> byte;
  MaxPoolPair<T, int32_t> wide;
};
MINIDL_KERNEL_TABLES(MaxPoolKernels, max_pool_planes)  // inner == 1
MINIDL_KERNEL_TABLES(MaxPoolKernels, max_pool_pixels)

template <typename T, typename Offset>
void max_pool(const MaxPoolProblem& problem, const T* input, T* output, Offset* offsets);
template <typename T, typename Offset>
void max_pool_grad(const MaxPoolProblem& problem, const T* grad, const Offset* offsets,
                   T* grad_input);

// output[planes, *out] = input[planes, *size] at the taps that won; 0 for a tap outside. Planes.
template <typename T, typename Offset>
void max_pool_gather(const MaxPoolProblem& problem, const T* input, const Offset* offsets,
                     T* output);

// indices[outer, *out, inner] = where in the flat *size of the input the taps that won lie
template <typename Offset>
void max_pool_indices(const MaxPoolProblem& problem, const Offset* offsets, int64_t* indices);

// What one output averages along one dimension: elements [begin, end) of the input, counted as
// `count`.
struct Bin {
  int64_t begin, end, count;
};
struct Range {
  int64_t begin, end;
};

struct MeanPoolProblem {
  int64_t outer, inner;
  Extent size, out;
  std::array<std::vector<Bin>, 3> bins;     // bins[d] has out[d] entries; begin and end never fall
  std::array<std::vector<Range>, 3> cover;  // cover[d] has size[d]: the bins that hold an element
  Extent overlap;                           // the most bins that hold one element
  int64_t divisor;                          // 0: the product of the three counts
  // The window that `bins` come from; a stride of 0 where they come from no regular window.
  Extent kernel, stride, padding;
};

// Windows cut off at the input's ends; the count leaves out padding, unless count_padding is set.
std::vector<Bin> window_bins(int64_t size, int64_t out, int64_t kernel, int64_t stride,
                             int64_t padding, bool count_padding);

// Bin i from floor(i size / out) to ceil((i + 1) size / out).
std::vector<Bin> adaptive_bins(int64_t size, int64_t out);

// Fills in `cover` and `overlap`.
void cover_bins(MeanPoolProblem& problem);

// Windows of planes that step by 1 or 2 along the last dimension and are small.
bool is_small_window(const MeanPoolProblem& problem);

template <typename T>
struct MeanPoolKernels {
  // output = the sum over the bins / divisor
  void (*forward)(const MeanPoolProblem& problem, const T* input, T* output);
  // grad_input = the sum over the bins that hold an element of grad / divisor
  void (*backward)(const MeanPoolProblem& problem, const T* grad, T* grad_input);
};
MINIDL_KERNEL_TABLES(MeanPoolKernels, mean_pool_bins)     // any bins
MINIDL_KERNEL_TABLES(MeanPoolKernels, mean_pool_windows)  // where is_small_window

template <typename T>
const MeanPoolKernels<T>& mean_pool_kernels(const MeanPoolProblem& problem) {
  return is_small_window(problem) ? mean_pool_windows<T>() : mean_pool_bins<T>();
}

struct AdaptiveMaxProblem {
  int64_t planes;
  Extent size, out;
  std::array<std::vector<Bin>, 3> bins;
};

// output[planes, *out] = the largest value of each bin, indices = where in the flat *size; ties and
// NaN as in max_pool. Bins are not empty.
template <typename T>
void adaptive_max_pool(const AdaptiveMaxProblem& problem, const T* input, T* output,
                       int64_t* indices);

}  // namespace minidl::cpu
