#include "cuda/device.h"

#include <cuda_runtime.h>

#include <map>
#include <mutex>
#include <stdexcept>

#include "common/checks.h"

namespace minidl::cuda {

#ifdef MINIDL_EMULATOR
Devices devices() { return {1, ""}; }

void allow_shared_bytes(const char*, const void*, std::size_t) {}
#else
Devices devices() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaSuccess && count > 0) return {count, ""};
  if (error == cudaSuccess) return {0, "the CUDA driver sees no device"};
  cudaGetLastError();  // the error is told here; a later launch shall not report it again
  return {0, std::string(cudaGetErrorString(error)) + " (" + cudaGetErrorName(error) + ")"};
}

void allow_shared_bytes(const char* name, const void* kernel, std::size_t bytes) {
  static std::mutex mutex;
  static std::map<std::pair<int, const void*>, std::size_t> allowed;
  int device = 0;
  cudaGetDevice(&device);
  const std::lock_guard lock(mutex);
  std::size_t& present = allowed[{device, kernel}];
  if (present >= bytes) return;
  const cudaError_t error = cudaFuncSetAttribute(
      kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
  if (error != cudaSuccess) {
    cudaGetLastError();
    throw std::runtime_error(concat(
        "kernel '", name, "' wants ", bytes,
        " bytes of shared memory a block, which this GPU refuses: ", cudaGetErrorString(error)));
  }
  present = bytes;
}
#endif

}  // namespace minidl::cuda
