#include "cuda/launch_shape.h"

#include "common/checks.h"

namespace minidl::cuda {
namespace {

constexpr std::int64_t max_grid_x = 2147483647, max_grid_yz = 65535;
constexpr std::int64_t max_threads = 1024, max_block_z = 64;
constexpr std::size_t max_shared_bytes = 227 * 1024;  // with an opt-in, on the largest GPU

bool within(std::int64_t size, std::int64_t least, std::int64_t most) {
  return least <= size && size <= most;
}

}  // namespace

void check_launch(const char* kernel, const LaunchShape& shape) {
  const auto& [grid, block, shared_bytes] = shape;
  MINIDL_CHECK(within(grid.x, 0, max_grid_x) && within(grid.y, 0, max_grid_yz) &&
                   within(grid.z, 0, max_grid_yz),
               "kernel '", kernel, "': a grid of (", grid.x, ", ", grid.y, ", ", grid.z,
               ") blocks is beyond CUDA's limit of (", max_grid_x, ", ", max_grid_yz, ", ",
               max_grid_yz, "); split the arrays into smaller ones");
  MINIDL_CHECK(within(block.x, 1, max_threads) && within(block.y, 1, max_threads) &&
                   within(block.z, 1, max_block_z) && block.x * block.y * block.z <= max_threads,
               "kernel '", kernel, "': a block of (", block.x, ", ", block.y, ", ", block.z,
               ") threads is beyond CUDA's limit of ", max_threads, " threads");
  MINIDL_CHECK(shared_bytes <= max_shared_bytes, "kernel '", kernel, "': ", shared_bytes,
               " bytes of shared memory are beyond the limit of ", max_shared_bytes);
}

}  // namespace minidl::cuda
