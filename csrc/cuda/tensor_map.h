// A tensor map tells the bulk tensor copy engine (TMA, sm_90) where an array lies and which box of
// it one copy moves. Kernels take it by value as a `const __grid_constant__` parameter. Source:
// CUDA driver API, cuTensorMapEncodeTiled.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/dispatch.h"

namespace minidl::cuda {

// How the 16-byte chunks of a box's rows are permuted in shared memory, so that rows lie in
// different banks: chunk c of a row of `bytes` bytes stands at c ^ (row % (bytes / 16)). The box
// must be aligned to 8 such rows.
enum class Swizzle : int { none = 0, bytes_32 = 1, bytes_64 = 2, bytes_128 = 3 };

// Where the byte at an address of shared memory (from its start) goes.
constexpr std::size_t swizzled(std::size_t address, Swizzle swizzle) {
  const std::size_t rows = (std::size_t{1} << static_cast<int>(swizzle)) - 1;
  return address ^ (address >> 7 & rows) << 4;
}

inline constexpr int max_map_rank = 5;

// Axis 0 is the innermost, with elements side by side.
struct TensorMapSpec {
  const void* data;  // aligned to 16 bytes
  DType dtype;       // float16, bfloat16 or float32
  int rank;          // 1 to 5
  std::int64_t size[max_map_rank];
  std::int64_t stride[max_map_rank];  // in bytes, multiples of 16; that of axis 0 is not read
  int box[max_map_rank];              // 1 to 256 elements; axis 0: at most what the swizzle names
  Swizzle swizzle;
};

#ifdef MINIDL_EMULATOR
struct TensorMap {
  TensorMapSpec spec;
};
#else
struct alignas(64) TensorMap {
  unsigned char bytes[128];  // CUtensorMap
};
#endif

// Throws std::invalid_argument for a spec beyond the limits above, and std::runtime_error where the
// driver has no encoder or refuses. Elements outside of the array read as 0 and are not written.
TensorMap make_tensor_map(const TensorMapSpec& spec);

}  // namespace minidl::cuda
