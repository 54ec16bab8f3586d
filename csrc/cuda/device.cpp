#include "cuda/device.h"

#include <cuda_runtime.h>

namespace minidl::cuda {

#ifdef MINIDL_EMULATOR
Devices devices() { return {1, ""}; }
#else
Devices devices() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaSuccess && count > 0) return {count, ""};
  if (error == cudaSuccess) return {0, "the CUDA driver sees no device"};
  cudaGetLastError();  // the error is told here; a later launch shall not report it again
  return {0, std::string(cudaGetErrorString(error)) + " (" + cudaGetErrorName(error) + ")"};
}
#endif

}  // namespace minidl::cuda
