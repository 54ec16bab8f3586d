// Working memory of a kernel, kept from call to call: `thread_local Scratch<float> columns;`.
#pragma once

#include <cstdint>
#include <memory>
#include <new>

namespace minidl::cpu {

// Uninitialised memory that only grows, aligned for the widest vector.
template <typename T>
class Scratch {
 public:
  // Room for `count` elements; what the last call returned is no longer valid.
  T* reserve(int64_t count) {
    if (count > capacity_) {
      capacity_ = 0;
      data_.reset();
      const size_t bytes = static_cast<size_t>(count) * sizeof(T);
      data_.reset(static_cast<T*>(::operator new(bytes, kAlignment)));
      capacity_ = count;
    }
    return data_.get();
  }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(T* memory) const { ::operator delete(memory, kAlignment); }
  };
  std::unique_ptr<T, Free> data_;
  int64_t capacity_ = 0;
};

// Memory of the calling thread for code of cpu/simd, which can hold no Scratch: its member
// functions would be shared between the levels. A slot has one user at a time; its next call
// invalidates what the last one returned.
enum class Slot { gemm_a, gemm_b, gemm_shared, attention, norm, norm_shared, embedding, count };
void* thread_scratch(Slot slot, int64_t bytes);

}  // namespace minidl::cpu
