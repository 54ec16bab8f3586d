// Host arrays for the kernels' tests: buffers of exactly the size of the array, so that one element
// too far is noticed; outputs start as NaN.
#pragma once

#include <limits>
#include <random>
#include <vector>

#include "check.h"
#include "cuda/array.h"
#include "fences.h"

namespace minidl::testing {

template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>) return DType::float32;
  if constexpr (std::is_same_v<T, double>) return DType::float64;
  if constexpr (std::is_same_v<T, std::uint8_t>) return DType::uint8;
  if constexpr (std::is_same_v<T, std::int32_t>) return DType::int32;
  if constexpr (std::is_same_v<T, std::int64_t>) return DType::int64;
  if constexpr (std::is_same_v<T, Half>) return DType::float16;
  if constexpr (std::is_same_v<T, BFloat16>) return DType::bfloat16;
  if constexpr (std::is_same_v<T, bool>) return DType::boolean;
}

// AddressSanitizer sees the ends of a heap buffer; without it there are fences.
#if defined(__SANITIZE_ADDRESS__)
template <class T>
using Values = std::vector<T>;
#else
template <class T>
using Values = std::vector<T, FencedAllocator<T>>;
#endif

// A dense array whose axes may lie in memory in any order.
template <class T>
struct HostArray {
  std::vector<std::int64_t> shape, strides;
  Values<T> values;

  // `order` lists the axes from the slowest to the fastest; none is C order.
  explicit HostArray(std::vector<std::int64_t> sizes, std::vector<int> order = {})
      : shape(std::move(sizes)), strides(shape.size()) {
    if (order.empty()) {
      for (int d = 0; d < static_cast<int>(shape.size()); ++d) order.push_back(d);
    }
    std::int64_t step = 1;
    for (int i = static_cast<int>(order.size()) - 1; i >= 0; --i) {
      strides[order[i]] = step;
      step *= shape[order[i]];
    }
    values.assign(
        step, std::numeric_limits<T>::has_quiet_NaN ? std::numeric_limits<T>::quiet_NaN() : T(77));
  }

  HostArray& randomize(std::mt19937& random) {
    std::normal_distribution<double> normal;
    for (T& value : values) value = static_cast<T>(normal(random));
    return *this;
  }

  template <class... Index>
  T& at(Index... index) {
    std::int64_t offset = 0;
    int axis = 0;
    ((offset += index * strides[axis++]), ...);
    return values.at(offset);
  }

  cuda::Array array() { return {values.data(), dtype_of<T>(), shape, strides}; }

  // The same elements with the last two axes exchanged.
  cuda::Array transposed() {
    cuda::Array result = array();
    std::swap(result.shape.end()[-1], result.shape.end()[-2]);
    std::swap(result.strides.end()[-1], result.strides.end()[-2]);
    return result;
  }
};

}  // namespace minidl::testing
