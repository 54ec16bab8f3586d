// What CUDA devices there are.
#pragma once

#include <cstddef>
#include <string>

namespace minidl::cuda {

struct Devices {
  int count = 0;
  std::string reason;  // why the count is 0; empty otherwise
};

// Lets blocks of a kernel have `bytes` of dynamic shared memory on the current device; remembered,
// so that only the first launch pays. Throws std::runtime_error where the device has less.
void allow_shared_bytes(const char* name, const void* kernel, std::size_t bytes);

// The compute capability of the current device: 75 is 7.5. Asked once a device.
int device_capability();

// How many multiprocessors the current device has. Asked once a device.
int device_multiprocessors();

// Never throws: without a driver the count is 0.
Devices devices();

}  // namespace minidl::cuda
