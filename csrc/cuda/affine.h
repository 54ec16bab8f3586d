// The weight or bias of a norm, and where its gradient goes: in the dtype of the elements, T, or in
// that of the statistics.
#pragma once

#include "common/half.h"
#include "cuda/array.h"
#include "cuda/pack.h"
#include "cuda/ptx/unroll.h"

namespace minidl::cuda {

template <class T>
struct Affine {
  using Real = accumulator_t<T>;
  void* data = nullptr;  // null: `otherwise` everywhere
  bool wide = false;     // Real, not T
  bool packs = false;    // T, and aligned to packs

  __device__ __forceinline__ Real at(std::int64_t i, Real otherwise) const {
    if (data == nullptr) return otherwise;
    return wide ? static_cast<const Real*>(data)[i]
                : static_cast<Real>(static_cast<const T*>(data)[i]);
  }
  // Elements first, first + 1, ...; `first` is a multiple of n.
  template <int n>
  __device__ __forceinline__ void load(std::int64_t first, Real otherwise, Real (&to)[n]) const {
    if (packs) {
      const Pack<T, n> pack = load_pack<Pack<T, n>>(static_cast<const T*>(data) + first);
      MINIDL_UNROLL
      for (int k = 0; k < n; ++k) to[k] = static_cast<Real>(pack[k]);
    } else {
      MINIDL_UNROLL
      for (int k = 0; k < n; ++k) to[k] = at(first + k, otherwise);
    }
  }
  __device__ __forceinline__ void store(std::int64_t i, Real value) const {
    if (wide) {
      static_cast<Real*>(data)[i] = value;
    } else {
      static_cast<T*>(data)[i] = static_cast<T>(value);
    }
  }
};

template <class T>
constexpr DType dtype_of_statistics = sizeof(T) == 8 ? DType::float64 : DType::float32;

// `array` (null: none) of `length` elements, dense, whose dtype is `dtype` or the statistics'.
template <class T>
Affine<T> to_affine(const char* name, const Array* array, std::int64_t length, DType dtype) {
  if (array == nullptr) return {};
  check_shape(name, *array, {length});
  MINIDL_CHECK(length <= 1 || array->strides[0] == 1, name, " must be dense");
  const bool wide = array->dtype != dtype;
  if (wide) check_dtype(name, *array, dtype_of_statistics<T>);
  return {array->data, wide, !wide && is_aligned(array->data)};
}

// Types of the elements of norms: X(type)
// clang-format off
#define MINIDL_NORM_TYPES(X) X(Half) X(BFloat16) X(float) X(double)
// clang-format on

}  // namespace minidl::cuda
