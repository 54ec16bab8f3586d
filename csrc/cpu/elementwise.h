// Elementwise functions on the CPU, float and double.
//
// An operation is a struct with a static `of`, and `weight`: roughly the additions that one
// evaluation costs, from which the size of a thread's share follows. Results may not overlap
// operands. NaN spreads through every operation, maximum, minimum and relu included.
#pragma once

#include <cmath>
#include <cstdint>

#include "cpu/thread_pool.h"
#include "cpu/vector_math.h"
#include "cpu/walk.h"

namespace minidl::cpu {

// Functions with `largest` are for arrays up to that size. NumPy picks its loops for exp, log,
// tanh, sin and cos by the processor at hand; ours, compiled for x86-64-v2, win by their shorter
// way in.
inline constexpr int64_t kLargestForBaseline = 4096;

struct Add {
  static constexpr int weight = 1;
  template <class T>
  static T of(T a, T b) {
    return a + b;
  }
};
struct Sub {
  static constexpr int weight = 1;
  template <class T>
  static T of(T a, T b) {
    return a - b;
  }
};
struct Mul {
  static constexpr int weight = 1;
  template <class T>
  static T of(T a, T b) {
    return a * b;
  }
};
struct Div {
  static constexpr int weight = 2;
  template <class T>
  static T of(T a, T b) {
    return a / b;
  }
};
struct Maximum {
  static constexpr int weight = 1;
  template <class T>
  static T of(T a, T b) {
    return a >= b || a != a ? a : b;
  }
};
struct Minimum {
  static constexpr int weight = 1;
  template <class T>
  static T of(T a, T b) {
    return a <= b || a != a ? a : b;
  }
};
struct Pow {
  static constexpr int weight = 20;
  template <class T>
  static T of(T a, T b) {
    return std::pow(a, b);
  }
};
struct ReluGrad {  // g where result > 0; where result is NaN, g too, as in PyTorch
  static constexpr int weight = 1;
  template <class T>
  static T of(T g, T result) {
    return result <= 0 ? T(0) : g;
  }
};
struct TanhGrad {
  static constexpr int weight = 1;
  template <class T>
  static T of(T g, T result) {
    return g * (1 - result * result);
  }
};
struct SigmoidGrad {
  static constexpr int weight = 1;
  template <class T>
  static T of(T g, T result) {
    return g * ((1 - result) * result);
  }
};

struct Neg {
  static constexpr int weight = 1;
  template <class T>
  static T of(T x) {
    return -x;
  }
};
struct Abs {
  static constexpr int weight = 1;
  template <class T>
  static T of(T x) {
    return std::fabs(x);
  }
};
struct Square {
  static constexpr int weight = 1;
  template <class T>
  static T of(T x) {
    return x * x;
  }
};
struct Reciprocal {
  static constexpr int weight = 2;
  template <class T>
  static T of(T x) {
    return 1 / x;
  }
};
struct Sqrt {
  static constexpr int weight = 2;
  template <class T>
  static T of(T x) {
    return std::sqrt(x);
  }
};
struct Rsqrt {
  static constexpr int weight = 4;
  template <class T>
  static T of(T x) {
    return 1 / std::sqrt(x);
  }
};
struct Relu {
  static constexpr int weight = 1;
  template <class T>
  static T of(T x) {
    return x <= 0 ? T(0) : x;
  }
};
struct Exp {
  static constexpr int weight = 6;
  static constexpr int64_t largest = kLargestForBaseline;
  template <class T>
  static T of(T x) {
    return vector_exp(x);
  }
};
struct Log {
  static constexpr int weight = 8;
  static constexpr int64_t largest = kLargestForBaseline;
  template <class T>
  static T of(T x) {
    return vector_log(x);
  }
};
struct Tanh {
  static constexpr int weight = 10;
  static constexpr int64_t largest = kLargestForBaseline;
  template <class T>
  static T of(T x) {
    return vector_tanh(x);
  }
};
struct Sigmoid {
  static constexpr int weight = 8;
  template <class T>
  static T of(T x) {
    return vector_sigmoid(x);
  }
};
struct Sin {
  static constexpr int weight = 16;
  static constexpr int64_t largest = kLargestForBaseline;
  template <class T>
  static T of(T x) {
    return std::sin(x);
  }
};
struct Cos {
  static constexpr int weight = 16;
  static constexpr int64_t largest = kLargestForBaseline;
  template <class T>
  static T of(T x) {
    return std::cos(x);
  }
};

// Elements that a thread takes at a time: enough work to be worth waking it.
template <class Op>
constexpr int64_t grain_of = 1 + 65536 / Op::weight;

// out[i] = op(x[i])
template <class Op, class T>
void unary_flat(int64_t size, const T* x, T* __restrict out) {
  for (int64_t i = 0; i < size; ++i) out[i] = Op::template of<T>(x[i]);
}

// out[i] = op(a[i sa], b[i sb]). The three usual pairs of steps get loops that vectorise.
template <class Op, class T>
void binary_flat(int64_t size, const T* a, int64_t sa, const T* b, int64_t sb, T* __restrict out) {
  if (sa == 1 && sb == 1) {
    for (int64_t i = 0; i < size; ++i) out[i] = Op::template of<T>(a[i], b[i]);
  } else if (sa == 1 && sb == 0) {
    const T right = *b;
    for (int64_t i = 0; i < size; ++i) out[i] = Op::template of<T>(a[i], right);
  } else if (sa == 0 && sb == 1) {
    const T left = *a;
    for (int64_t i = 0; i < size; ++i) out[i] = Op::template of<T>(left, b[i]);
  } else {
    for (int64_t i = 0; i < size; ++i) out[i] = Op::template of<T>(a[i * sa], b[i * sb]);
  }
}

template <class Op, class T>
void unary(int64_t size, const T* x, T* out) {
  if (size <= grain_of<Op>) return unary_flat<Op>(size, x, out);
  parallel_for(size, grain_of<Op>, [=](int64_t begin, int64_t end) {
    unary_flat<Op>(end - begin, x + begin, out + begin);
  });
}

// Steps are 0 (one value) or 1.
template <class Op, class T>
void binary(int64_t size, const T* a, int64_t sa, const T* b, int64_t sb, T* out) {
  if (size <= grain_of<Op>) return binary_flat<Op>(size, a, sa, b, sb, out);
  parallel_for(size, grain_of<Op>, [=](int64_t begin, int64_t end) {
    binary_flat<Op>(end - begin, a + begin * sa, sa, b + begin * sb, sb, out + begin);
  });
}

// Broadcasting; the result is contiguous.
template <class Op, class T>
void binary(const Walk<2>& walk, const T* a, const T* b, T* out) {
  const int64_t row = walk.row(), sa = walk.step(0), sb = walk.step(1);
  const auto rows = [&](int64_t begin, int64_t end) {
    walk.each_row(begin, end, [&](int64_t number, const std::array<int64_t, 2>& offsets) {
      binary_flat<Op>(row, a + offsets[0], sa, b + offsets[1], sb, out + number * row);
    });
  };
  const int64_t share = std::max<int64_t>(1, grain_of<Op> / row);
  walk.rows() <= share ? rows(0, walk.rows()) : parallel_for(walk.rows(), share, rows);
}

}  // namespace minidl::cpu
