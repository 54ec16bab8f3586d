#include "cuda/device.h"

#include <cuda_runtime.h>

#include <map>
#include <mutex>
#include <stdexcept>

#include "common/checks.h"

#ifdef MINIDL_EMULATOR
#include "emulator/capability.h"
#else
#include <array>
#include <atomic>
#endif

namespace minidl::cuda {

#ifdef MINIDL_EMULATOR
Devices devices() { return {1, ""}; }

int device_capability() { return emulator::capability_from_environment(); }

int device_multiprocessors() { return emulator::multiprocessors_from_environment(); }

void allow_shared_bytes(const char*, const void*, std::size_t) {}
#else
namespace {

constexpr int max_devices = 64;

int attribute(cudaDeviceAttr which, int device) {
  int value = 0;
  const cudaError_t error = cudaDeviceGetAttribute(&value, which, device);
  if (error == cudaSuccess) return value;
  cudaGetLastError();
  throw std::runtime_error(concat("CUDA error when device ", device,
                                  " was asked what it is: ", cudaGetErrorString(error)));
}

// ask(device) of the current device; an answer is never 0.
template <class Ask>
int remembered(std::array<std::atomic<int>, max_devices>& answers, Ask ask) {
  int device = 0;
  cudaGetDevice(&device);
  if (device >= max_devices) return ask(device);
  int answer = answers[device].load(std::memory_order_relaxed);
  if (!answer) answers[device].store(answer = ask(device), std::memory_order_relaxed);
  return answer;
}

}  // namespace

int device_capability() {
  static std::array<std::atomic<int>, max_devices> answers{};
  return remembered(answers, [](int device) {
    return 10 * attribute(cudaDevAttrComputeCapabilityMajor, device) +
           attribute(cudaDevAttrComputeCapabilityMinor, device);
  });
}

int device_multiprocessors() {
  static std::array<std::atomic<int>, max_devices> answers{};
  return remembered(answers,
                    [](int device) { return attribute(cudaDevAttrMultiProcessorCount, device); });
}

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
