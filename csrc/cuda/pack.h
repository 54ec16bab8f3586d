// Neighbouring elements moved as one: a GPU reads and writes memory best 16 bytes a thread.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <cstring>

namespace minidl::cuda {

inline constexpr int pack_bytes = 16;

// As many elements as fill 16 bytes, or `size` of them.
template <class T, int size_ = pack_bytes / static_cast<int>(sizeof(T))>
struct alignas(sizeof(T) * size_) Pack {
  static constexpr int size = size_;
  static_assert(size > 0 && (size & (size - 1)) == 0 && sizeof(T) * size <= 16,
                "a pack is a power of two of elements, at most 16 bytes");
  T value[size];

  __device__ __forceinline__ T& operator[](int i) { return value[i]; }
  __device__ __forceinline__ const T& operator[](int i) const { return value[i]; }
};

// One access of the whole pack; `address` is aligned to its size.
template <class P, class T>
__device__ __forceinline__ P load_pack(const T* address) {
  return *reinterpret_cast<const P*>(address);
}
template <class P, class T>
__device__ __forceinline__ void store_pack(T* address, const P& pack) {
  *reinterpret_cast<P*>(address) = pack;
}

// Whether packs of T may be read or written at `address`.
template <class T>
__host__ __device__ inline bool is_aligned(const T* address, std::size_t bytes = pack_bytes) {
  return reinterpret_cast<std::uintptr_t>(address) % bytes == 0;
}

}  // namespace minidl::cuda
