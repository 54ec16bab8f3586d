// Memory of a kernel or a task.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include "cpu/isa.h"

namespace minidl::cpu::MINIDL_ISA {

// Uninitialised memory of a task, aligned for the widest vector.
template <typename T>
class Workspace {
 public:
  explicit Workspace(int64_t count)
      : data_(static_cast<T*>(::operator new(static_cast<size_t>(count) * sizeof(T), kAlign))) {}
  // Element i is fill(i).
  template <typename Fill>
  Workspace(int64_t count, const Fill& fill) : Workspace(count) {
    for (int64_t i = 0; i < count; ++i) data_[i] = fill(i);
  }
  ~Workspace() { ::operator delete(data_, kAlign); }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  T* data() const { return data_; }

 private:
  static constexpr std::align_val_t kAlign{64};
  T* data_;
};

}  // namespace minidl::cpu::MINIDL_ISA
