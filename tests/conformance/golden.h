// A conformance case runs one wrapper of csrc/cuda/ptx on random input and writes what came out. On
// a GPU the files become golden (tests/conformance/golden); compiled for the host, the same program
// says what the emulator does.
//   CONFORMANCE(shuffle_xor) { ... golden("mask 1", output); }
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/half.h"
#include "cuda/launch.h"

namespace minidl::conformance {

struct Case {
  const char* name;
  void (*run)();
};

inline std::vector<Case>& cases() {
  static std::vector<Case> list;
  return list;
}

struct Registration {
  Registration(const char* name, void (*run)()) { cases().push_back({name, run}); }
};

// SplitMix64: the same numbers with every standard library. A case starts from its own seed.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  // In [-1, 1), on a grid of 2^-7: sums of some hundred products are exact in float32, so that the
  // order in which the hardware adds does not matter.
  float grid() { return static_cast<float>(static_cast<int>(bits() % 256) - 128) / 128; }

 private:
  std::uint64_t state_;
};

// On a GPU, cudaMalloc and its like; in the emulator, the host's.
namespace memory {
void* allocate(std::size_t bytes);
void release(void* memory);
void copy_over(void* device, const void* host, std::size_t bytes);
void copy_back(void* host, const void* device,
               std::size_t bytes);  // waits for the kernels before it
}  // namespace memory

// Memory of the device with a copy on the host. Outputs start as 0xFF bytes, which is NaN.
template <class T>
class Buffer {
 public:
  explicit Buffer(std::size_t count) : host_(count) {
    __builtin_memset(static_cast<void*>(host_.data()), 0xFF, count * sizeof(T));
    device_ = static_cast<T*>(memory::allocate(count * sizeof(T)));
    upload();
  }
  ~Buffer() { memory::release(device_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  // Fills the array with make(random) and copies it to the device.
  template <class Make>
  Buffer& fill(Random& random, Make make) {
    for (T& value : host_) value = make(random);
    upload();
    return *this;
  }
  T* device() const { return device_; }
  std::size_t size() const { return host_.size(); }
  const std::vector<T>& download() {
    memory::copy_back(host_.data(), device_, host_.size() * sizeof(T));
    return host_;
  }
  T& operator[](std::size_t i) { return host_[i]; }
  void upload() { memory::copy_over(device_, host_.data(), host_.size() * sizeof(T)); }

 private:
  std::vector<T> host_;
  T* device_ = nullptr;
};

// Writes an array of the running case as <case>.<what>.npy; spaces of `what` become underscores.
void write(const std::string& what, const char* dtype, const void* data, std::size_t count,
           std::size_t item_bytes);

template <class T>
void golden(const std::string& what, Buffer<T>& output) {
  const auto& values = output.download();
  const char* dtype = sizeof(T) == 8   ? "<u8"
                      : sizeof(T) == 4 ? "<u4"
                      : sizeof(T) == 2 ? "<u2"
                                       : "|u1";
  write(what, dtype, values.data(), values.size(), sizeof(T));  // bits: a NaN is compared too
}

}  // namespace minidl::conformance

#define CONFORMANCE(name)                                                                  \
  static void minidl_conformance_##name();                                                 \
  static const ::minidl::conformance::Registration minidl_conformance_registration_##name{ \
      #name, &minidl_conformance_##name};                                                  \
  static void minidl_conformance_##name()
