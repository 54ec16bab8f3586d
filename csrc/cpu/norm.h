// Normalisation on the CPU, float and double: y = (x - mean) / sqrt(variance + eps) * weight +
// bias, with the gradients. Source of the gradients: S. Ioffe, C. Szegedy, "Batch normalization",
// 2015.
//
// Arrays are contiguous; outputs may not overlap inputs. Pointers to weight, bias and to gradients
// that are not wanted may be null. Statistics are taken about a shift close to the mean, so that
// inputs far from zero (mean 1e4, deviation 1) lose nothing; means are saved rounded to T, and the
// gradients find what the rounding took away in the data. Every kernel gives the same bits for any
// number of threads.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace minidl::cpu {

// Layer and RMS norm: x[rows, size], each row by itself; weight[size], bias[size].
template <typename T>
struct RowNorm {
  int64_t rows, size;
  double eps;
  const T *weight, *bias;
};

// Batch and group norm: x[samples, channels, size], or x[samples, size, channels] where
// channels_last; weight[channels], bias[channels]. Batch norm has statistics of each channel; group
// norm of each `groups`th part of the channels of a sample, and only with channels first.
template <typename T>
struct ChannelNorm {
  int64_t samples, channels, size;
  double eps;
  const T *weight, *bias;
  bool channels_last;
  int64_t groups;
};

// Gradients: of the input like x, of weight and bias like these. Null: not wanted.
template <typename T>
struct NormGradients {
  T *input, *weight, *bias;
};

template <typename T>
struct NormKernels {
  // mean[rows], inv_std[rows] = 1 / sqrt(variance + eps)
  void (*layer_norm)(const RowNorm<T>& p, const T* x, T* y, T* mean, T* inv_std);
  void (*layer_norm_backward)(const RowNorm<T>& p, const T* g, const T* x, const T* mean,
                              const T* inv_std, const NormGradients<T>& out);

  // inv_rms[rows] = 1 / sqrt(mean(x^2) + eps); nothing is subtracted, bias is not used.
  // Source: B. Zhang, R. Sennrich, "Root mean square layer normalization", 2019.
  void (*rms_norm)(const RowNorm<T>& p, const T* x, T* y, T* inv_rms);
  void (*rms_norm_backward)(const RowNorm<T>& p, const T* g, const T* x, const T* inv_rms,
                            const NormGradients<T>& out);

  // mean[channels], variance[channels] (biased), inv_std[channels]
  void (*batch_norm)(const ChannelNorm<T>& p, const T* x, T* y, T* mean, T* variance, T* inv_std);
  // With given mean[channels] and inv_std[channels].
  void (*batch_norm_inference)(const ChannelNorm<T>& p, const T* x, const T* mean, const T* inv_std,
                               T* y);
  // Where not `training`, mean and inv_std are constants.
  void (*batch_norm_backward)(const ChannelNorm<T>& p, const T* g, const T* x, const T* mean,
                              const T* inv_std, bool training, const NormGradients<T>& out);

  // mean[samples, groups], inv_std[samples, groups]
  void (*group_norm)(const ChannelNorm<T>& p, const T* x, T* y, T* mean, T* inv_std);
  void (*group_norm_backward)(const ChannelNorm<T>& p, const T* g, const T* x, const T* mean,
                              const T* inv_std, const NormGradients<T>& out);
};
MINIDL_KERNEL_TABLES(NormKernels, norm_kernels)

}  // namespace minidl::cpu
