// Between optim.cpp and optim_chunked.cu: what a step does to one element.
#pragma once

#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>

#include "common/half.h"
#include "cuda/optim.h"

namespace minidl::cuda {

// update() takes the values of an element in the order of OptimTensor::address and changes all but
// the gradient.

template <class T>
struct SgdStep {
  using Element = T;
  using Real = accumulator_t<T>;
  static constexpr int arrays = 3;
  bool nesterov, maximize;

  struct Constants {
    Real lr, momentum, keep, weight_decay;
    bool buffered, fresh;
  };
  __device__ Constants constants(const double* options, const OptimTensor& tensor,
                                 std::int64_t) const {
    return {static_cast<Real>(options[0]),
            static_cast<Real>(options[1]),
            static_cast<Real>(1 - options[2]),
            static_cast<Real>(options[3]),
            tensor.address[2] != 0,
            tensor.fresh != 0};
  }
  __device__ __forceinline__ void update(const Constants& c, Real (&v)[arrays]) const {
    Real g = maximize ? -v[1] : v[1];
    if (c.weight_decay != 0) g += c.weight_decay * v[0];
    if (c.buffered) {
      v[2] = c.fresh ? g : c.momentum * v[2] + c.keep * g;
      g = nesterov ? g + c.momentum * v[2] : v[2];
    }
    v[0] -= c.lr * g;
  }
};

inline constexpr int clock_words = 3;  // of a tensor: steps, 1 - beta1^steps, sqrt(1 - beta2^steps)

template <class T>
struct AdamStep {
  using Element = T;
  using Real = accumulator_t<T>;
  static constexpr int arrays = 5;
  const double* clocks;
  bool decoupled, maximize;

  struct Constants {
    Real rate, shrink, more1, beta2, more2, eps, weight_decay, inverse_root;
    bool largest;
  };
  __device__ Constants constants(const double* options, const OptimTensor& tensor,
                                 std::int64_t index) const {
    const double lr = options[0], decay = options[4];
    const double* clock = clocks + index * clock_words;
    return {static_cast<Real>(lr / clock[1]),
            static_cast<Real>(1 - lr * decay),
            static_cast<Real>(1 - options[1]),
            static_cast<Real>(options[2]),
            static_cast<Real>(1 - options[2]),
            static_cast<Real>(options[3]),
            static_cast<Real>(decay),
            static_cast<Real>(1 / clock[2]),
            tensor.address[4] != 0};
  }
  __device__ __forceinline__ void update(const Constants& c, Real (&v)[arrays]) const {
    Real g = maximize ? -v[1] : v[1];
    if (decoupled) {
      v[0] *= c.shrink;
    } else if (c.weight_decay != 0) {
      g += c.weight_decay * v[0];
    }
    v[2] += c.more1 * (g - v[2]);
    v[3] = c.beta2 * v[3] + c.more2 * (g * g);
    Real square = v[3];
    if (c.largest) {
      v[4] = square != square || square > v[4] ? square : v[4];  // NaN wins
      square = v[4];
    }
    v[0] -= c.rate * (v[2] / (std::sqrt(square) * c.inverse_root + c.eps));
  }
};

template <class Step>
void optim_chunked(const Step& step, const OptimTable& table, Stream stream);

// Counts a step of every tensor and prepares the corrections for the others.
void adam_clock(double* clocks, const double* options, std::int64_t count, Stream stream);

}  // namespace minidl::cuda
