// The one way to start a kernel: checks the shape, starts it on a stream, reports errors by
// exception.
//   launch("conv2d_weight_grad", conv2d_weight_grad<float>, {.grid = {blocks}, .block = {256}},
//   stream, arguments);
#pragma once

#include <cuda_runtime.h>

#include <stdexcept>
#include <type_traits>

#include "common/checks.h"
#include "cuda/device.h"
#include "cuda/launch_shape.h"
#include "cuda/stream.h"

namespace minidl::cuda {

// Throws std::invalid_argument for a shape beyond the limits and std::runtime_error for what CUDA
// reports. CUDA reports late: an error in a kernel can surface at a later launch or copy.
template <class... Parameters>
void launch(const char* name, void (*kernel)(Parameters...), const LaunchShape& shape,
            [[maybe_unused]] Stream stream, std::type_identity_t<const Parameters&>... arguments) {
  check_launch(name, shape);
  if (shape.grid.x == 0 || shape.grid.y == 0 || shape.grid.z == 0) return;
  const auto dim = [](const Extent& e) {
    return dim3(static_cast<unsigned>(e.x), static_cast<unsigned>(e.y), static_cast<unsigned>(e.z));
  };
#ifdef MINIDL_EMULATOR
  emulator::launch({name, dim(shape.grid), dim(shape.block), shape.shared_bytes},
                   emulator::Schedule::from_environment(), [&] { kernel(arguments...); });
#else
  if (shape.shared_bytes > plain_shared_bytes) {
    allow_shared_bytes(name, reinterpret_cast<const void*>(kernel), shape.shared_bytes);
  }
  // clang-format off
  kernel<<<dim(shape.grid), dim(shape.block), shape.shared_bytes, stream>>>(arguments...);
  // clang-format on
  const cudaError_t error = cudaGetLastError();
  if (error != cudaSuccess) {
    throw std::runtime_error(concat("CUDA error at the launch of kernel '", name,
                                    "' or before it: ", cudaGetErrorString(error)));
  }
#endif
}

}  // namespace minidl::cuda
