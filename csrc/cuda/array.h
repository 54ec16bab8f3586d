// An array in device memory as the host API of the kernels takes it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/checks.h"
#include "common/dispatch.h"

namespace minidl::cuda {

struct Array {
  void* data = nullptr;  // of the element with index 0 in every axis
  DType dtype = DType::float32;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;  // in elements; 0 where broadcast, negative where reversed

  int rank() const { return static_cast<int>(shape.size()); }
  std::int64_t count() const;
  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
};

std::string spell(const std::vector<std::int64_t>& shape);

// Throw std::invalid_argument (TypeMismatch for a dtype) that names the array and says what came
// and what was wanted.
void check_rank(const char* name, const Array& array, int rank);
void check_shape(const char* name, const Array& array, const std::vector<std::int64_t>& wanted);
void check_dtype(const char* name, const Array& array, DType wanted);

// Call fn(T{}), T being the type of the array's elements: float or double; Half and BFloat16 too;
// or an index, std::int32_t or std::int64_t. TypeMismatch, which names the array, for another
// dtype.
template <class Function>
void with_float_type(const char* name, const Array& array, Function&& fn) {
  if (array.dtype == DType::float32) return fn(float{});
  if (array.dtype == DType::float64) return fn(double{});
  throw TypeMismatch(concat(name, " must be float32 or float64, got ", minidl::name(array.dtype)));
}

template <class Function>
void with_floating_type(const char* name, const Array& array, Function&& fn) {
  if (array.dtype == DType::float16) return fn(Half{});
  if (array.dtype == DType::bfloat16) return fn(BFloat16{});
  if (array.dtype == DType::float32) return fn(float{});
  if (array.dtype == DType::float64) return fn(double{});
  throw TypeMismatch(
      concat(name, " must be a floating-point array, got ", minidl::name(array.dtype)));
}

template <class Function>
void with_index_type(const char* name, const Array& array, Function&& fn) {
  if (array.dtype == DType::int32) return fn(std::int32_t{});
  if (array.dtype == DType::int64) return fn(std::int64_t{});
  throw TypeMismatch(concat(name, " must be int32 or int64, got ", minidl::name(array.dtype)));
}

}  // namespace minidl::cuda
