#include "cpu/optim.h"

#include <cmath>

#include "cpu/thread_pool.h"

namespace minidl::cpu::MINIDL_ISA {
namespace {

// Elements a piece. Long pieces keep the hardware's prefetching of four to six streams going, short
// ones share little work fairly. (Every element is computed alike, wherever the pieces end.)
int64_t grain_of(int64_t total) {
  const int64_t share = total / 16;
  return share < 1 << 14 ? 1 << 14 : share > 1 << 17 ? 1 << 17 : share;
}

// Calls body(tensor, begin, end) for ranges that cover every tensor, in parallel. Ranges end where
// a tensor does, pieces of the work do not: a thousand small tensors are as few pieces as a large
// one.
template <class Tensor, class Body>
void for_ranges(const Tensor* tensors, int64_t count, const Body& body) {
  int64_t total = 0;
  for (int64_t i = 0; i < count; ++i) total += tensors[i].size;
  parallel_for(total, grain_of(total), [&](int64_t begin, int64_t end) {
    int64_t first = 0;  // of the tensor at hand, among the elements of all
    for (const Tensor* tensor = tensors; first < end; first += tensor++->size) {
      const int64_t from = begin > first ? begin - first : 0;
      const int64_t to = end - first < tensor->size ? end - first : tensor->size;
      if (from < to) body(*tensor, from, to);
    }
  });
}

// The scalars of a step in the type of the arrays. Loops take them by value and the arrays as
// restrict parameters: only so does the compiler know that no store changes them, and vectorises.
template <class T>
struct AdamScalars {
  T sign, decay, shrink, blend1, keep2, blend2, eps, rate;
};

// With root = sqrt(correction2), rate m / (sqrt(v) / root + eps) is (rate root) m / (sqrt(v) + eps
// root): one division less.
template <class T>
AdamScalars<T> adam_scalars(const AdamTensor<T>& t, const AdamOptions& o) {
  const double root = std::sqrt(t.correction2);
  return {
      o.maximize ? T(-1) : T(1),
      static_cast<T>(o.weight_decay),
      static_cast<T>(o.decoupled ? 1 - o.lr * o.weight_decay : 1),
      static_cast<T>(1 - o.beta1),
      static_cast<T>(o.beta2),
      static_cast<T>(1 - o.beta2),
      static_cast<T>(o.eps * root),
      static_cast<T>(o.lr / t.correction1 * root),
  };
}

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
      v = (v != v) | (largest[i] <= v) ? v : largest[i];  // NaN stays
      largest[i] = v;
    }
    param[i] = param[i] * o.shrink - o.rate * m / (std::sqrt(v) + o.eps);
  }
}

template <bool kDecayGradient, bool kAmsgrad, class T>
void adam_ranges(const AdamTensor<T>* tensors, int64_t count, const AdamOptions& o) {
  for_ranges(tensors, count, [&](const AdamTensor<T>& t, int64_t begin, int64_t end) {
    T* const largest = kAmsgrad ? t.max_exp_avg_sq + begin : nullptr;
    adam_run<kDecayGradient, kAmsgrad>(end - begin, t.param + begin, t.grad + begin,
                                       t.exp_avg + begin, t.exp_avg_sq + begin, largest,
                                       adam_scalars(t, o));
  });
}

template <class T>
struct SgdScalars {
  T sign, decay, kept, fraction, momentum, lr;
};

enum class Momentum { none, fresh, classic, nesterov };

// A fresh buffer is not read: memory that was never written may hold NaN.
template <bool kDecay, Momentum kMomentum, class T>
void sgd_run(int64_t size, T* __restrict param, const T* __restrict grad, T* __restrict buffer,
             const SgdScalars<T> o) {
  for (int64_t i = 0; i < size; ++i) {
    T g = o.sign * grad[i];
    if constexpr (kDecay) g += o.decay * param[i];
    if constexpr (kMomentum == Momentum::fresh) {
      buffer[i] = g;
      g *= o.fraction;
    } else if constexpr (kMomentum != Momentum::none) {
      const T b = o.kept * buffer[i] + o.fraction * g;
      buffer[i] = b;
      g = kMomentum == Momentum::nesterov ? g + o.momentum * b : b;
    }
    param[i] -= o.lr * g;
  }
}

template <bool kDecay, class T>
void sgd_range(const SgdTensor<T>& t, const SgdOptions& o, int64_t begin, int64_t end) {
  SgdScalars<T> scalars{
      o.maximize ? T(-1) : T(1),       static_cast<T>(o.weight_decay), static_cast<T>(o.momentum),
      static_cast<T>(1 - o.dampening), static_cast<T>(o.momentum),     static_cast<T>(o.lr),
  };
  const auto run = [&](auto* step, T* buffer) {
    step(end - begin, t.param + begin, t.grad + begin, buffer, scalars);
  };
  if (t.buffer == nullptr) {
    run(&sgd_run<kDecay, Momentum::none, T>, nullptr);
  } else if (t.fresh) {
    scalars.fraction = static_cast<T>(o.nesterov ? 1 + o.momentum : 1);  // the buffer is g itself
    run(&sgd_run<kDecay, Momentum::fresh, T>, t.buffer + begin);
  } else if (o.nesterov) {
    run(&sgd_run<kDecay, Momentum::nesterov, T>, t.buffer + begin);
  } else {
    run(&sgd_run<kDecay, Momentum::classic, T>, t.buffer + begin);
  }
}

}  // namespace

template <class T>
void adam_step(const AdamTensor<T>* tensors, int64_t count, const AdamOptions& options) {
  if (count == 0) return;
  const bool decay_gradient = options.weight_decay != 0 && !options.decoupled;
  if (tensors[0].max_exp_avg_sq != nullptr) {
    decay_gradient ? adam_ranges<true, true>(tensors, count, options)
                   : adam_ranges<false, true>(tensors, count, options);
  } else {
    decay_gradient ? adam_ranges<true, false>(tensors, count, options)
                   : adam_ranges<false, false>(tensors, count, options);
  }
}

template <class T>
void sgd_step(const SgdTensor<T>* tensors, int64_t count, const SgdOptions& options) {
  for_ranges(tensors, count, [&](const SgdTensor<T>& tensor, int64_t begin, int64_t end) {
    options.weight_decay != 0 ? sgd_range<true>(tensor, options, begin, end)
                              : sgd_range<false>(tensor, options, begin, end);
  });
}

MINIDL_FILL_TABLES(OptimKernels, optim_kernels, .adam_step = &adam_step<T>,
                   .sgd_step = &sgd_step<T>)

}  // namespace minidl::cpu::MINIDL_ISA
