// Device memory of the conformance program.
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>

#include "golden.h"

namespace minidl::conformance::memory {

#ifdef MINIDL_EMULATOR
void* allocate(std::size_t bytes) {
  void* memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);  // as cudaMalloc aligns
  if (!memory) throw std::bad_alloc();
  return memory;
}
void release(void* memory) { std::free(memory); }
void copy_over(void* device, const void* host, std::size_t bytes) {
  std::memcpy(device, host, bytes);
}
void copy_back(void* host, const void* device, std::size_t bytes) {
  std::memcpy(host, device, bytes);
}
#else
namespace {
void check(cudaError_t error) {
  if (error != cudaSuccess) throw std::runtime_error(cudaGetErrorString(error));
}
}  // namespace
void* allocate(std::size_t bytes) {
  void* memory = nullptr;
  check(cudaMalloc(&memory, bytes));
  return memory;
}
void release(void* memory) { cudaFree(memory); }
void copy_over(void* device, const void* host, std::size_t bytes) {
  check(cudaMemcpy(device, host, bytes, cudaMemcpyHostToDevice));
}
void copy_back(void* host, const void* device, std::size_t bytes) {
  check(cudaDeviceSynchronize());
  check(cudaMemcpy(host, device, bytes, cudaMemcpyDeviceToHost));
}
#endif

}  // namespace minidl::conformance::memory
