#include "cpu/elementwise.h"
#include "cpu/simd/elementwise_run.h"
#include "cpu/simd/erf.h"
#include "cpu/simd/math.h"

namespace minidl::cpu::MINIDL_ISA {
namespace ops {
namespace {

// Equations, and those of the gradients: minidl/backends/reference/activations.py.

struct leaky_relu {
  template <typename V>
  static MINIDL_INLINE V of(V x, const Lane<V>* slope) {
    return x > Lane<V>(0) ? x : x * slope[0];
  }
};
struct leaky_relu_grad {
  template <typename V>
  static MINIDL_INLINE V of(V g, V x, const Lane<V>* slope) {
    return x > Lane<V>(0) ? g : g * slope[0];
  }
};

struct prelu {
  template <typename V>
  static MINIDL_INLINE V of(V x, V weight) {
    return x > Lane<V>(0) ? x : x * weight;
  }
};

// numbers: alpha, scale, input_scale
struct elu {
  template <typename V>
  static MINIDL_INLINE V of(V x, const Lane<V>* numbers) {
    const V below = x > Lane<V>(0) ? V{} : x;
    return (x > Lane<V>(0) ? x : expm1(below * numbers[2]) * numbers[0]) * numbers[1];
  }
};
struct elu_grad {
  template <typename V>
  static MINIDL_INLINE V of(V g, V x, const Lane<V>* numbers) {
    const V below = x > Lane<V>(0) ? V{} : x;
    const V slope = exp(below * numbers[2]) * (numbers[0] * numbers[1] * numbers[2]);
    return g * (x > Lane<V>(0) ? same<V>(numbers[1]) : slope);
  }
};

struct gelu_erf {
  template <typename V>
  static MINIDL_INLINE V of(V x) {
    return x * normal(x).below;
  }
};
struct gelu_erf_grad {
  template <typename V>
  static MINIDL_INLINE V of(V g, V x) {
    const auto [below, density] = normal(x);
    return g * (x * density + below);
  }
};

// The logistic function and its derivative s (1 - s), which is not taken from a rounded s: near 1
// nothing would be left of it.
template <typename V>
struct Gate {
  V value, slope;
};
template <typename V>
MINIDL_INLINE Gate<V> gate(V x) {
  const V e = exp(-absolute(x)), r = same<V>(1) / (e + Lane<V>(1));
  return {x < Lane<V>(0) ? e * r : r, e * r * r};
}

// (1 + tanh(u)) / 2 = sigmoid(2 u), with u = sqrt(2/pi) (x + 0.044715 x^3)
constexpr double kGeluSlope = 1.5957691216057307;  // 2 sqrt(2/pi)
constexpr double kGeluCubic = 0.044715 * kGeluSlope;
struct gelu_tanh {
  template <typename V>
  static MINIDL_INLINE V of(V x) {
    using T = Lane<V>;
    return x * sigmoid(x * (x * x * T(kGeluCubic) + T(kGeluSlope)));
  }
};
struct gelu_tanh_grad {
  template <typename V>
  static MINIDL_INLINE V of(V g, V x) {
    using T = Lane<V>;
    const V square = x * x;
    const auto [value, slope] = gate(x * (square * T(kGeluCubic) + T(kGeluSlope)));
    return g * (x * (square * T(3 * kGeluCubic) + T(kGeluSlope)) * slope + value);
  }
};

struct silu {
  template <typename V>
  static MINIDL_INLINE V of(V x) {
    return x * sigmoid(x);
  }
};
struct silu_grad {
  template <typename V>
  static MINIDL_INLINE V of(V g, V x) {
    const auto [value, slope] = gate(x);
    return g * (x * slope + value);
  }
};

// numbers: beta, threshold
struct softplus {
  template <typename V>
  static MINIDL_INLINE V of(V x, const Lane<V>* numbers) {
    const V scaled = x * numbers[0];
    const V above = scaled < Lane<V>(0) ? V{} : scaled;
    const V curved = (above + log1p_in_unit(exp(-absolute(scaled)))) / numbers[0];
    return scaled > numbers[1] ? x : curved;
  }
};
struct softplus_grad {
  template <typename V>
  static MINIDL_INLINE V of(V g, V x, const Lane<V>* numbers) {
    const V scaled = x * numbers[0];
    return scaled > numbers[1] ? g : g * sigmoid(scaled);
  }
};

// tanh(log(1 + e)) = n / (n + 2) with n = e (e + 2), e = exp(x); 1 beyond 40
template <typename V>
MINIDL_INLINE V mish_exp(V x) {
  return exp(x > Lane<V>(40) ? same<V>(40) : x);
}
struct mish {
  template <typename V>
  static MINIDL_INLINE V of(V x) {
    const V e = mish_exp(x), n = e * (e + Lane<V>(2));
    return x * (n / (n + Lane<V>(2)));
  }
};
struct mish_grad {
  template <typename V>
  static MINIDL_INLINE V of(V g, V x) {
    using T = Lane<V>;
    const V e = mish_exp(x), n = e * (e + T(2));
    const V inverse = T(1) / (n + T(2));
    const V bend = x > T(40) ? V{} : (n + T(1)) * T(4) * inverse * inverse;  // 1 - tanh^2
    return g * (n * inverse + x * (e / (e + T(1))) * bend);
  }
};

struct log_sigmoid {
  template <typename V>
  static MINIDL_INLINE V of(V x) {
    return (x > Lane<V>(0) ? V{} : x) - log1p_in_unit(exp(-absolute(x)));
  }
};
struct log_sigmoid_grad {
  template <typename V>
  static MINIDL_INLINE V of(V g, V x) {
    return g * sigmoid(-x);
  }
};

// min(max(x + 3, 0), 6)
template <typename V>
MINIDL_INLINE V hard_gate(V x) {
  const V shifted = x + Lane<V>(3), above = shifted < Lane<V>(0) ? V{} : shifted;
  return above > Lane<V>(6) ? same<V>(6) : above;
}
struct hardsigmoid {
  template <typename V>
  static MINIDL_INLINE V of(V x) {
    return hard_gate(x) * Lane<V>(1.0 / 6);
  }
};
struct hardsigmoid_grad {
  template <typename V>
  static MINIDL_INLINE V of(V g, V x) {
    return absolute(x) < Lane<V>(3) ? g * Lane<V>(1.0 / 6) : V{};
  }
};
struct hardswish {
  template <typename V>
  static MINIDL_INLINE V of(V x) {
    return x * hard_gate(x) * Lane<V>(1.0 / 6);
  }
};
struct hardswish_grad {
  template <typename V>
  static MINIDL_INLINE V of(V g, V x) {
    using T = Lane<V>;
    const V middle = x >= T(3) ? g : g * (x * T(1.0 / 3) + T(0.5));
    return x <= T(-3) ? V{} : middle;
  }
};

// numbers: low, high
struct hardtanh {
  template <typename V>
  static MINIDL_INLINE V of(V x, const Lane<V>* numbers) {
    const V above = x < numbers[0] ? same<V>(numbers[0]) : x;
    return above > numbers[1] ? same<V>(numbers[1]) : above;
  }
};
struct hardtanh_grad {
  template <typename V>
  static MINIDL_INLINE V of(V g, V x, const Lane<V>* numbers) {
    return (x <= numbers[0]) | (x >= numbers[1]) ? V{} : g;
  }
};

}  // namespace
}  // namespace ops

#define MINIDL_ROW(name, ...) \
  .name = &run_elementwise<ops::name, ::minidl::cpu::elementwise_ops::name, T>,
MINIDL_FILL_TABLES(ActivationKernels, activation_kernels, MINIDL_ACTIVATIONS(MINIDL_ROW))

}  // namespace minidl::cpu::MINIDL_ISA
