#include "cpu/optim.h"

#include <algorithm>
#include <cmath>

#include "cpu/thread_pool.h"

namespace minidl::cpu {
namespace {

constexpr int64_t kGrain = 16384;  // elements: a few microseconds, where threads begin to pay

// Calls body(begin, end) over [0, size); without the detour through the pool where one piece will
// do.
template <class Body>
void in_pieces(int64_t size, const Body& body) {
  if (size <= kGrain) {
    body(int64_t{0}, size);
  } else {
    parallel_for(size, kGrain, body);
  }
}

template <class T, bool kDecayGradient, bool kAmsgrad>
void adam_loop(const AdamTensor<T>& tensor, const AdamOptions& o) {
  const T sign = o.maximize ? T(-1) : T(1);
  const T decay = static_cast<T>(o.weight_decay);
  const T shrink = static_cast<T>(o.decoupled ? 1 - o.lr * o.weight_decay : 1);
  const T blend1 = static_cast<T>(1 - o.beta1);
  const T keep2 = static_cast<T>(o.beta2);
  const T blend2 = static_cast<T>(1 - o.beta2);
  const T eps = static_cast<T>(o.eps);
  const T rate = static_cast<T>(o.lr / (1 - std::pow(o.beta1, tensor.step)));
  const T root = static_cast<T>(std::sqrt(1 - std::pow(o.beta2, tensor.step)));
  in_pieces(tensor.size, [&](int64_t begin, int64_t end) {
    T* __restrict param = tensor.param;
    const T* __restrict grad = tensor.grad;
    T* __restrict exp_avg = tensor.exp_avg;
    T* __restrict exp_avg_sq = tensor.exp_avg_sq;
    T* __restrict largest = tensor.max_exp_avg_sq;
    for (int64_t i = begin; i < end; ++i) {
      T g = sign * grad[i];
      if constexpr (kDecayGradient) g += decay * param[i];
      const T m = exp_avg[i] + blend1 * (g - exp_avg[i]);
      T v = keep2 * exp_avg_sq[i] + blend2 * (g * g);
      exp_avg[i] = m;
      exp_avg_sq[i] = v;
      if constexpr (kAmsgrad) {
        v = largest[i] > v ? largest[i] : v;  // a NaN in v stays
        largest[i] = v;
      }
      param[i] = param[i] * shrink - rate * (m / (std::sqrt(v) / root + eps));
    }
  });
}

template <class T, bool kMomentum>
void sgd_loop(const SgdTensor<T>& tensor, const SgdOptions& o) {
  const T sign = o.maximize ? T(-1) : T(1);
  const T decay = static_cast<T>(o.weight_decay);
  const T lr = static_cast<T>(o.lr);
  const T momentum = static_cast<T>(o.momentum);
  const T fraction = static_cast<T>(tensor.fresh ? 1 : 1 - o.dampening);
  const T kept = tensor.fresh ? T(0) : momentum;
  in_pieces(tensor.size, [&](int64_t begin, int64_t end) {
    T* __restrict param = tensor.param;
    const T* __restrict grad = tensor.grad;
    T* __restrict buffer = tensor.buffer;
    for (int64_t i = begin; i < end; ++i) {
      T g = sign * grad[i];
      if (decay != 0) g += decay * param[i];
      if constexpr (kMomentum) {
        const T b = kept * buffer[i] + fraction * g;
        buffer[i] = b;
        g = o.nesterov ? g + momentum * b : b;
      }
      param[i] -= lr * g;
    }
  });
}

}  // namespace

template <class T>
void adam_step(const AdamTensor<T>& tensor, const AdamOptions& options) {
  const bool decay_gradient = options.weight_decay != 0 && !options.decoupled;
  if (tensor.max_exp_avg_sq != nullptr) {
    decay_gradient ? adam_loop<T, true, true>(tensor, options)
                   : adam_loop<T, false, true>(tensor, options);
  } else {
    decay_gradient ? adam_loop<T, true, false>(tensor, options)
                   : adam_loop<T, false, false>(tensor, options);
  }
}

template <class T>
void sgd_step(const SgdTensor<T>& tensor, const SgdOptions& options) {
  if (tensor.buffer != nullptr && tensor.fresh) {
    std::fill_n(tensor.buffer, tensor.size, T(0));  // memory that was never written may hold NaN
  }
  tensor.buffer != nullptr ? sgd_loop<T, true>(tensor, options)
                           : sgd_loop<T, false>(tensor, options);
}

template void adam_step(const AdamTensor<float>&, const AdamOptions&);
template void adam_step(const AdamTensor<double>&, const AdamOptions&);
template void sgd_step(const SgdTensor<float>&, const SgdOptions&);
template void sgd_step(const SgdTensor<double>&, const SgdOptions&);

}  // namespace minidl::cpu
