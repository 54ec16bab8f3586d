// Between pool.cpp, which checks, and the kernels pool_max.cu, pool_max_gather.cu, pool_mean.cu,
// pool_mean_wide.cu, pool_mean_gather.cu and pool_bin_max.cu.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <type_traits>

#include "cuda/divider.h"
#include "cuda/stream.h"

namespace minidl::cuda {

// Three spatial dimensions; absent ones come first and have size 1. int, because coordinates in an
// image are computed often.
struct Size3 {
  int at[3];
};

struct PoolStrides {
  std::int64_t image, channel, at[3];
};

// The elements of [N, C, D, H, W] one after the other, as neighbouring threads take them: the
// channels of a pixel first where they are neighbours in memory, the pixels of a channel otherwise.
struct PoolOrder {
  std::int64_t planes;           // images, or channels of images
  unsigned channels;             // of an image, where planes are channels; else 1
  unsigned blocks;               // that cover a plane
  int elements;                  // of a plane
  Divider inner, rows, columns;  // inner: channels of a pixel, or packs of them, or 1
  int pack;                      // neighbouring channels that a thread takes
};

struct PoolElement {
  std::int64_t image, channel;
  int at[3];

  __device__ __forceinline__ std::int64_t offset(const PoolStrides& s) const {
    return image * s.image + channel * s.channel + at[0] * s.at[0] + at[1] * s.at[1] +
           at[2] * s.at[2];
  }
};

inline constexpr int pool_threads = 128;

// Whether there are kernels for packs of channels: with offsets of a byte, and of windows (below).
template <class OffsetOrAxis>
inline constexpr bool has_packs = std::is_same_v<OffsetOrAxis, std::uint8_t>;

struct MaxPoolLayout {
  PoolOrder order;  // of what a thread computes
  Size3 size, out, kernel, stride, padding, dilation;
  PoolStrides input_strides, output_strides, offset_strides;
};

// The steps [first, end) of a loop.
struct Range {
  int first, end;
};

template <class T, class Offset>
struct MaxPool {
  MaxPoolLayout layout;
  const T* input;
  T* output;
  Offset* offsets;
};

template <class T, class Offset>
struct MaxPoolGrad {
  MaxPoolLayout layout;
  const T* g;
  const Offset* offsets;
  T* input_grad;
};

template <class T, class Offset>
struct MaxPoolGather {
  MaxPoolLayout layout;
  const T* input;
  const Offset* offsets;
  T* output;
};

template <class Offset>
struct MaxPoolIndices {
  MaxPoolLayout layout;
  const Offset* offsets;
  std::int64_t* indices;  // with the strides of an output
};

template <class T, class Offset>
void pool_max(const MaxPool<T, Offset>& problem, Stream stream);
template <class T, class Offset>
void pool_max_gather(const MaxPoolGrad<T, Offset>& problem, Stream stream);
template <class T, class Offset>
void pool_max_pick(const MaxPoolGather<T, Offset>& problem, Stream stream);
template <class Offset>
void pool_max_indices(const MaxPoolIndices<Offset>& problem, Stream stream);

// One dimension of what means are taken over: the inputs [first, end) of a window and its count,
// and the windows that contain an input.
struct WindowAxis {
  int size, out, kernel, stride, padding;
  bool include_pad;
  Divider by_stride;

  __device__ __forceinline__ Range inputs(int o) const {
    const int start = o * stride - padding, end = start + kernel;
    return {start > 0 ? start : 0, end < size ? end : size};
  }
  __device__ __forceinline__ int count(int o) const {
    if (!include_pad) {
      const Range inside = inputs(o);
      return inside.end - inside.first;
    }
    const int start = o * stride - padding, end = start + kernel, wall = size + padding;
    return (end < wall ? end : wall) - start;
  }
  __device__ __forceinline__ Range windows(int x) const {
    const int position = x + padding, before = position - kernel + stride;
    const int end = by_stride.quotient(position) + 1;
    return {before < 0 ? 0 : by_stride.quotient(before), end < out ? end : out};
  }
};

template <>
inline constexpr bool has_packs<WindowAxis> = true;

// size (out + 1) and (size + 1) out are below 2^31.
struct BinAxis {
  int size, out;
  Divider by_size, by_out;

  __device__ __forceinline__ Range inputs(int o) const {
    return {by_out.quotient(o * size), by_out.quotient((o + 1) * size + out - 1)};
  }
  __device__ __forceinline__ int count(int o) const {
    const Range inside = inputs(o);
    return inside.end - inside.first;
  }
  __device__ __forceinline__ Range windows(int x) const {
    return {by_size.quotient(x * out), by_size.quotient((x + 1) * out + size - 1)};
  }
};

template <class Axis>
struct MeanLayout {
  PoolOrder order;  // of what a thread (or, in pool_mean_wide, a block) computes
  Axis axis[3];
  double divisor;  // 0: the count
  PoolStrides input_strides, output_strides;
};

template <class T, class Axis>
struct MeanPool {  // of an input; backwards, of the output's gradient
  MeanLayout<Axis> layout;
  const T* from;
  T* to;
};

template <class T, class Axis>
void pool_mean(const MeanPool<T, Axis>& problem, Stream stream);
template <class T, class Axis>
void pool_mean_wide(const MeanPool<T, Axis>& problem, Stream stream);
template <class T, class Axis>
void pool_mean_gather(const MeanPool<T, Axis>& problem, Stream stream);

template <class T>
struct BinMax {
  MeanLayout<BinAxis> layout;  // of the indices as of the output: dense, or both alike
  const T* input;
  T* output;
  std::int64_t* indices;
  PoolStrides index_strides;
};

template <class T>
void pool_bin_max(const BinMax<T>& problem, Stream stream);

}  // namespace minidl::cuda
