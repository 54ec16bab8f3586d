// Walking several strided arrays together, element by element, whatever their strides.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace minidl::cuda {

inline constexpr int max_walk_dims = 8;

// Where an element lies in each of N arrays.
template <int N>
struct Offsets {
  std::int64_t in[N];
};

// The joint index space of N arrays. Axes are in the order of the innermost last; made by
// plan_walk() (walk_plan.h), which merges axes, so that most walks have one or two.
template <int N>
struct Walk {
  std::int64_t count = 1;  // elements
  int dims = 0;
  std::int64_t size[max_walk_dims] = {};
  std::int64_t stride[max_walk_dims][N] = {};  // in elements

  // Where the element with flat number `index` lies. Divisions in 32 bits are several times faster
  // than in 64, and enough for all but the largest walks.
  __host__ __device__ __forceinline__ Offsets<N> at(std::int64_t index) const {
    return count <= 0xFFFFFFFFll ? decode(static_cast<std::uint32_t>(index))
                                 : decode(static_cast<std::uint64_t>(index));
  }

 private:
  template <class Index>
  __host__ __device__ __forceinline__ Offsets<N> decode(Index rest) const {
    Offsets<N> offsets = {};
    for (int d = dims - 1; d >= 0; --d) {
      const Index extent = static_cast<Index>(size[d]);
      const Index quotient = rest / extent;
      const auto position = static_cast<std::int64_t>(rest - quotient * extent);
      for (int n = 0; n < N; ++n) offsets.in[n] += position * stride[d][n];
      rest = quotient;
    }
    return offsets;
  }
};

}  // namespace minidl::cuda
