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

// Throws std::invalid_argument, with the kernel's name and the numbers, for a shape that some GPU
// from sm_75 on cannot launch. An empty grid is fine: nothing is launched.
void check_launch(const char* kernel, const LaunchShape& shape);

}  // namespace minidl::cuda
