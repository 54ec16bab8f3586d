#include "cpu/optim.h"

#include <algorithm>
#include <cmath>

#include "cpu/thread_pool.h"

namespace minidl::cpu::MINIDL_ISA {
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

// The scalars of a step in the type of the arrays. Loops take them by value and the arrays as
// restrict parameters: only so does the compiler know that no store changes them, and vectorises.
template <class T>
struct AdamScalars {
  T sign, decay, shrink, blend1, keep2, blend2, eps, rate, root;
};

template <bool kDecayGradient, bool kAmsgrad, class T>
void adam_run(int64_t size, T* __restrict param, const T* __restrict grad, T* __restrict exp_avg,
              T* __restrict exp_avg_sq, T* __restrict largest, const AdamScalars<T> o) {
  for (int64_t i = 0; i < size; ++i) {
    T g = o.sign * grad[i];
    if constexpr (kDecayGradient) g += o.decay * param[i];
    const T m = exp_avg[i] + o.blend1 * (g - exp_avg[i]);
    T v = o.keep2 * exp_avg_sq[i] + o.blend2 * (g * g);
    exp_avg[i] = m;
    exp_avg_sq[i] = v;
    if constexpr (kAmsgrad) {
      v = largest[i] > v ? largest[i] : v;  // a NaN in v stays
      largest[i] = v;
    }
    param[i] = param[i] * o.shrink - o.rate * (m / (std::sqrt(v) / o.root + o.eps));
  }
}

template <bool kDecayGradient, bool kAmsgrad, class T>
void adam_loop(const AdamTensor<T>& t, const AdamOptions& o) {
  const AdamScalars<T> scalars{
      o.maximize ? T(-1) : T(1),
      static_cast<T>(o.weight_decay),
      static_cast<T>(o.decoupled ? 1 - o.lr * o.weight_decay : 1),
      static_cast<T>(1 - o.beta1),
      static_cast<T>(o.beta2),
      static_cast<T>(1 - o.beta2),
      static_cast<T>(o.eps),
      static_cast<T>(o.lr / (1 - std::pow(o.beta1, t.step))),
      static_cast<T>(std::sqrt(1 - std::pow(o.beta2, t.step))),
  };
  in_pieces(t.size, [&](int64_t begin, int64_t end) {
    T* const largest = kAmsgrad ? t.max_exp_avg_sq + begin : nullptr;
    adam_run<kDecayGradient, kAmsgrad>(end - begin, t.param + begin, t.grad + begin,
                                       t.exp_avg + begin, t.exp_avg_sq + begin, largest, scalars);
  });
}

template <class T>
struct SgdScalars {
  T sign, decay, kept, fraction, momentum, lr;
};

enum class Momentum { none, classic, nesterov };

template <bool kDecay, Momentum kMomentum, class T>
void sgd_run(int64_t size, T* __restrict param, const T* __restrict grad, T* __restrict buffer,
             const SgdScalars<T> o) {
  for (int64_t i = 0; i < size; ++i) {
    T g = o.sign * grad[i];
    if constexpr (kDecay) g += o.decay * param[i];
    if constexpr (kMomentum != Momentum::none) {
      const T b = o.kept * buffer[i] + o.fraction * g;
      buffer[i] = b;
      g = kMomentum == Momentum::nesterov ? g + o.momentum * b : b;
    }
    param[i] -= o.lr * g;
  }
}

template <bool kDecay, Momentum kMomentum, class T>
void sgd_loop(const SgdTensor<T>& t, const SgdOptions& o) {
  const SgdScalars<T> scalars{
      o.maximize ? T(-1) : T(1),
      static_cast<T>(o.weight_decay),
      static_cast<T>(t.fresh ? 0 : o.momentum),
      static_cast<T>(t.fresh ? 1 : 1 - o.dampening),
      static_cast<T>(o.momentum),
      static_cast<T>(o.lr),
  };
  in_pieces(t.size, [&](int64_t begin, int64_t end) {
    T* const buffer = kMomentum != Momentum::none ? t.buffer + begin : nullptr;
    sgd_run<kDecay, kMomentum>(end - begin, t.param + begin, t.grad + begin, buffer, scalars);
  });
}

template <Momentum kMomentum, class T>
void sgd_chosen(const SgdTensor<T>& tensor, const SgdOptions& options) {
  options.weight_decay != 0 ? sgd_loop<true, kMomentum>(tensor, options)
                            : sgd_loop<false, kMomentum>(tensor, options);
}

}  // namespace

template <class T>
void adam_step(const AdamTensor<T>& tensor, const AdamOptions& options) {
  const bool decay_gradient = options.weight_decay != 0 && !options.decoupled;
  if (tensor.max_exp_avg_sq != nullptr) {
    decay_gradient ? adam_loop<true, true>(tensor, options)
                   : adam_loop<false, true>(tensor, options);
  } else {
    decay_gradient ? adam_loop<true, false>(tensor, options)
                   : adam_loop<false, false>(tensor, options);
  }
}

template <class T>
void sgd_step(const SgdTensor<T>& tensor, const SgdOptions& options) {
  if (tensor.buffer != nullptr && tensor.fresh) {
    std::fill_n(tensor.buffer, tensor.size, T(0));  // memory that was never written may hold NaN
  }
  if (tensor.buffer == nullptr) {
    sgd_chosen<Momentum::none>(tensor, options);
  } else if (options.nesterov) {
    sgd_chosen<Momentum::nesterov>(tensor, options);
  } else {
    sgd_chosen<Momentum::classic>(tensor, options);
  }
}

MINIDL_FILL_TABLES(OptimKernels, optim_kernels, .adam_step = &adam_step<T>,
                   .sgd_step = &sgd_step<T>)

}  // namespace minidl::cpu::MINIDL_ISA
