#include "cpu/norm.h"

#include "cpu/simd/norm_columns.h"
#include "cpu/simd/norm_planes.h"
#include "cpu/simd/norm_rows.h"

namespace minidl::cpu::MINIDL_ISA {
namespace {

template <typename T>
void rms_norm(const RowNorm<T>& p, const T* x, T* y, T* inv_rms) {
  norm_rows<false, T>(p, x, y, nullptr, inv_rms);
}

template <typename T>
void rms_norm_backward(const RowNorm<T>& p, const T* g, const T* x, const T* inv_rms,
                       const NormGradients<T>& out) {
  norm_rows_backward<false, T>(p, g, x, nullptr, inv_rms, out);
}

template <typename T>
void batch_norm(const ChannelNorm<T>& p, const T* x, T* y, T* mean, T* variance, T* inv_std) {
  const auto run = p.channels_last ? &batch_norm_columns<T> : &batch_norm_planes<T>;
  run(p, x, y, mean, variance, inv_std);
}

template <typename T>
void batch_norm_inference(const ChannelNorm<T>& p, const T* x, const T* mean, const T* inv_std,
                          T* y) {
  const auto run =
      p.channels_last ? &batch_norm_columns_inference<T> : &batch_norm_planes_inference<T>;
  run(p, x, mean, inv_std, y);
}

template <typename T>
void batch_norm_backward(const ChannelNorm<T>& p, const T* g, const T* x, const T* mean,
                         const T* inv_std, bool training, const NormGradients<T>& out) {
  const auto run =
      p.channels_last ? &batch_norm_columns_backward<T> : &batch_norm_planes_backward<T>;
  run(p, g, x, mean, inv_std, training, out);
}

}  // namespace

MINIDL_FILL_TABLES(NormKernels, norm_kernels, .layer_norm = &norm_rows<true, T>,
                   .layer_norm_backward = &norm_rows_backward<true, T>, .rms_norm = &rms_norm<T>,
                   .rms_norm_backward = &rms_norm_backward<T>, .batch_norm = &batch_norm<T>,
                   .batch_norm_inference = &batch_norm_inference<T>,
                   .batch_norm_backward = &batch_norm_backward<T>, .group_norm = &group_norm<T>,
                   .group_norm_backward = &group_norm_backward<T>)

}  // namespace minidl::cpu::MINIDL_ISA
