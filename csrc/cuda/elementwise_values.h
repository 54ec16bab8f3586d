// Elements in memory, whose dtype is known at run time, as the values that kernels compute with.
// The branches are the same for all threads: they cost little beside a memory access, and one
// kernel serves every dtype of a family, mixed ones too.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <type_traits>

#include "common/dispatch.h"
#include "common/half.h"
#include "cuda/pack.h"
#include "cuda/ptx/unroll.h"

namespace minidl::cuda {

// Calls fn(T{}), T being a type of elements that are computed as C: 16-bit and 32-bit floats as
// float, float64 as double, uint64 as itself, other integers and bool as int64.
template <class C, class Function>
__device__ __forceinline__ decltype(auto) with_element(DType dtype, Function&& fn) {
  if constexpr (std::is_same_v<C, float>) {
    if (dtype == DType::float16) return fn(Half{});
    if (dtype == DType::bfloat16) return fn(BFloat16{});
    return fn(float{});
  } else if constexpr (std::is_same_v<C, std::int64_t>) {
    switch (dtype) {
      case DType::boolean:
      case DType::uint8:
        return fn(std::uint8_t{});
      case DType::uint16:
        return fn(std::uint16_t{});
      case DType::uint32:
        return fn(std::uint32_t{});
      case DType::int8:
        return fn(std::int8_t{});
      case DType::int16:
        return fn(std::int16_t{});
      case DType::int32:
        return fn(std::int32_t{});
      default:
        return fn(std::int64_t{});
    }
  } else {
    return fn(C{});
  }
}

template <class C>
__device__ __forceinline__ C load_value(const void* data, DType dtype, std::int64_t i) {
  return with_element<C>(dtype, [&](auto element) {
    return static_cast<C>(static_cast<const decltype(element)*>(data)[i]);
  });
}

// Writes a value to an element of its family, or to a bool: whether it is not zero.
template <class C>
__device__ __forceinline__ void store_value(void* data, DType dtype, std::int64_t i, C value) {
  if (dtype == DType::boolean) {
    static_cast<std::uint8_t*>(data)[i] = value != C(0);
    return;
  }
  with_element<C>(dtype, [&](auto element) {
    static_cast<decltype(element)*>(data)[i] = static_cast<decltype(element)>(value);
  });
}

// `size` neighbouring elements at once, in accesses of 16 bytes where they are that many.
// The address of the first is aligned to them.
template <class T, class C, int size>
__device__ __forceinline__ void unpack(const T* from, C (&values)[size]) {
  constexpr int each = sizeof(T) * size < pack_bytes ? size : pack_bytes / int{sizeof(T)};
  using P = Pack<T, each>;
  P packs[size / each];
  MINIDL_UNROLL
  for (int n = 0; n < size / each; ++n) packs[n] = load_pack<P>(from + n * each);
  MINIDL_UNROLL
  for (int k = 0; k < size; ++k) values[k] = static_cast<C>(packs[k / each][k % each]);
}
template <class T, class C, int size>
__device__ __forceinline__ void pack(T* to, const C (&values)[size]) {
  constexpr int each = sizeof(T) * size < pack_bytes ? size : pack_bytes / int{sizeof(T)};
  using P = Pack<T, each>;
  MINIDL_UNROLL
  for (int n = 0; n < size / each; ++n) {
    P part;
    MINIDL_UNROLL
    for (int k = 0; k < each; ++k) part[k] = static_cast<T>(values[n * each + k]);
    store_pack(to + n * each, part);
  }
}

}  // namespace minidl::cuda
