// The grid and block of a launch, checked before CUDA sees them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace minidl::cuda {

// 64-bit, so that a size beyond a limit is seen as what it is and not as what is left of it.
struct Extent {
  std::int64_t x = 1, y = 1, z = 1;
};

struct LaunchShape {
  Extent grid, block;
  std::size_t shared_bytes = 0;  // dynamic shared memory of a block
};

// Shared memory that a block gets on every GPU without asking; beyond it launch() asks, which a GPU
// may refuse: 64 KiB is the most on sm_75, 99 on sm_86, 163 on sm_80, 227 on sm_90.
inline constexpr std::size_t plain_shared_bytes = 48 * 1024;

// Throws std::invalid_argument, with the kernel's name and the numbers, for a shape that no GPU can
// launch. An empty grid is fine: nothing is launched.
void check_launch(const char* kernel, const LaunchShape& shape);

}  // namespace minidl::cuda
