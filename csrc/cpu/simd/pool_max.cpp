// Maxima over windows of planes: neighbouring outputs lie side by side in a vector, and so do the
// elements that one tap meets in their windows.
#include <limits>

#include "cpu/pool.h"
#include "cpu/simd/pool_lines.h"
#include "cpu/simd/pool_windows.h"

namespace minidl::cpu::MINIDL_ISA {
namespace {

constexpr int64_t kTile = 1 << 12;  // outputs of a line that are one unit of work

template <typename T, typename Offset>
class Forward {
 public:
  // Outputs [x0, x1) of lines.
  Forward(const MaxPoolProblem& p, int64_t x0, int64_t x1)
      : p_(p),
        x0_(x0),
        x1_(x1),
        lines_(std::min(p.size[0], p.kernel[0]) * std::min(p.size[1], p.kernel[1])),
        first_(round_up(x1 - x0, kLanes<T>),
               [&](int64_t i) { return static_cast<Int<T>>(taps_of(p, 2, x0 + i).first); }) {
    const int64_t base = x0 * p.stride[2] - p.padding[2], last = (x1 - x0 - 1) * p.stride[2];
    begin_ = std::clamp<int64_t>(ceil_quotient(-base - last, p.dilation[2]), 0, p.kernel[2]);
    end_ = std::clamp(ceil_quotient(p.size[2] - base, p.dilation[2]), begin_, p.kernel[2]);
  }

  // A line of a plane's output under these taps.
  template <int kStride>
  void line(const T* plane, const Taps& az, const Taps& ay, T* output, Offset* offsets) {
    int64_t count = 0;
    for (int64_t a = az.begin; a < az.end; ++a) {
      for (int64_t b = ay.begin; b < ay.end; ++b) {
        const int64_t iz = az.origin + a * p_.dilation[0], iy = ay.origin + b * p_.dilation[1];
        lines_.data()[count++] = {plane + (iz * p_.size[1] + iy) * p_.size[2],
                                  (a * p_.kernel[1] + b) * p_.kernel[2]};
      }
    }
    const auto first = static_cast<Int<T>>((az.first * p_.kernel[1] + ay.first) * p_.kernel[2]);
    for (int64_t x = x0_; x < x1_; x += kLanes<T>) {
      vector<kStride>(count, load(first_.data() + x - x0_) + splat(first), x, output, offsets);
    }
  }

 private:
  struct Line {
    const T* data;
    int64_t tap;  // the window's tap at its column 0
  };

  // All taps compete for outputs x, x + 1, ...
  template <int kStride>
  MINIDL_INLINE void vector(int64_t count, Vec<Int<T>> winner, int64_t x, T* output,
                            Offset* offsets) {
    constexpr T lowest = -std::numeric_limits<T>::infinity();
    const int64_t at = x * p_.stride[2] - p_.padding[2], width = p_.size[2];
    const int64_t used = std::min(kLanes<T>, x1_ - x);
    Vec<T> best = splat(lowest);
    for (const Line *line = lines_.data(), *last = line + count; line < last; ++line) {
      for (int64_t c = begin_; c < end_; ++c) {
        const Vec<T> values = load_steps<kStride>(line->data, at + c * p_.dilation[2], p_.stride[2],
                                                  width, lowest, used);
        keep_larger<T>(values, splat(static_cast<Int<T>>(line->tap + c)), best, winner);
      }
    }
    store_inside(output, x, x1_, best);
    store_taps<T>(offsets, x, x1_, winner);
  }

  const MaxPoolProblem& p_;
  int64_t x0_, x1_;
  int64_t begin_, end_;  // taps along x that may meet these outputs
  Workspace<Line> lines_;
  Workspace<Int<T>> first_;
};

template <int kStride, typename T, typename Offset>
void forward_by(const MaxPoolProblem& p, const T* input, T* output, Offset* offsets) {
  const Units units(p.outer, p.out[0] * p.out[1], p.out[2], kTile, kPoolTask);
  const int64_t size = p.size[0] * p.size[1] * p.size[2];
  const auto depth = all_taps(p, 0), height = all_taps(p, 1);
  units.run([&](int64_t x0, int64_t x1, const auto& each_band) {
    Forward<T, Offset> kernel(p, x0, x1);
    each_band([&](int64_t plane, int64_t begin, int64_t end) {
      LineWalk walk(p.out[1], begin);
      for (int64_t line = begin; line < end; ++line, walk.next()) {
        const int64_t at = (plane * units.lines + line) * p.out[2];
        kernel.template line<kStride>(input + plane * size, depth.data()[walk.z],
                                      height.data()[walk.y], output + at, offsets + at);
      }
    });
  });
}

template <typename T, typename Offset>
void forward(const MaxPoolProblem& p, const T* input, T* output, Offset* offsets) {
  if (p.stride[2] == 1) return forward_by<1>(p, input, output, offsets);
  if (p.stride[2] == 2) return forward_by<2>(p, input, output, offsets);
  forward_by<0>(p, input, output, offsets);
}

// Windows step by kStride, 1 or 2, along x. Element i * kStride + r - padding of a line is number i
// of phase r; tap c of window o meets it where r = c dilation % kStride and o = i - c dilation /
// kStride: along a phase the windows of a tap lie side by side.
template <int kStride, typename T, typename Offset>
class Backward {
 public:
  // Elements [i0, i1) of the phases.
  Backward(const MaxPoolProblem& p, int64_t i0, int64_t i1)
      : p_(p),
        i0_(i0),
        i1_(i1),
        begin_(std::clamp<int64_t>(ceil_quotient((i0 - p.out[2] + 1) * kStride, p.dilation[2]), 0,
                                   p.kernel[2])),
        end_(std::clamp(ceil_quotient(i1 * kStride, p.dilation[2]), begin_, p.kernel[2])),
        lines_(overlap_of(p, 0) * overlap_of(p, 1)),
        columns_(end_ - begin_) {
    int64_t at = 0;
    for (int r = 0; r < kStride; ++r) {
      for (int64_t c = begin_; c < end_; ++c) {
        if (c * p.dilation[2] % kStride == r) {
          columns_.data()[at++] = {c, c * p.dilation[2] / kStride};
        }
      }
      ends_[r] = at;
    }
  }

  // A line of a plane of grad_input that these windows cover.
  void line(const T* grad, const Offset* offsets, const Covering& cz, const Covering& cy,
            T* grad_input) {
    int64_t count = 0;
    for (int64_t oz = cz.begin; oz < cz.end; ++oz) {
      for (int64_t oy = cy.begin; oy < cy.end; ++oy) {
        const int64_t a = cz.tap(p_, 0, oz), b = cy.tap(p_, 1, oy);
        if (a < 0 || b < 0) continue;
        const int64_t at = (oz * p_.out[1] + oy) * p_.out[2];
        lines_.data()[count++] = {grad + at, offsets + at, (a * p_.kernel[1] + b) * p_.kernel[2]};
      }
    }
    const int64_t width = std::min(p_.size[2], i1_ * kStride - p_.padding[2]);
    for (int64_t i = i0_; i < i1_; i += kLanes<T>) {
      const int64_t at = i * kStride - p_.padding[2];
      const Vec<T> even = collect(count, columns_.data(), columns_.data() + ends_[0], i);
      if constexpr (kStride == 1) {
        store_inside(grad_input, at, width, even);
      } else {
        const Column* const rest = columns_.data() + ends_[0];
        const Vec<T> odd = collect(count, rest, columns_.data() + ends_[1], i);
        store_inside(grad_input, at, width, alternate<T, 0>(even, odd));
        store_inside(grad_input, at + kLanes<T>, width, alternate<T, 1>(even, odd));
      }
    }
  }

 private:
  struct Line {
    const T* grad;
    const Offset* offsets;
    int64_t tap;  // the window's tap at its column 0
  };
  struct Column {
    int64_t tap, back;
  };

  // What the windows of all lines hand to one vector of a phase, which meets these columns of taps.
  MINIDL_INLINE Vec<T> collect(int64_t count, const Column* begin, const Column* end,
                               int64_t i) const {
    const int64_t outs = p_.out[2];
    Vec<T> sum{};
    for (const Line *line = lines_.data(), *last = line + count; line < last; ++line) {
      for (const Column* column = begin; column < end; ++column) {
        const int64_t at = i - column->back;
        const auto won = load_taps<T>(line->offsets, at, outs) ==
                         splat(static_cast<Int<T>>(line->tap + column->tap));
        sum += won ? load_inside(line->grad, at, outs, T(0)) : Vec<T>{};
      }
    }
    return sum;
  }

  const MaxPoolProblem& p_;
  int64_t i0_, i1_, begin_, end_;  // taps [begin, end) along x may meet the elements
  Workspace<Line> lines_;
  Workspace<Column> columns_;  // those of phase 0, then those of phase 1
  int64_t ends_[kStride];      // where each phase's end
};

template <int kStride, typename T, typename Offset>
void backward_by(const MaxPoolProblem& p, const T* grad, const Offset* offsets, T* grad_input) {
  const int64_t first = p.padding[2] / kStride;
  const int64_t last = (p.size[2] - 1 + p.padding[2]) / kStride;
  const Units units(p.outer, p.size[0] * p.size[1], p.size[2] == 0 ? 0 : last - first + 1, kTile,
                    kPoolTask / kStride);
  const int64_t outs = p.out[0] * p.out[1] * p.out[2];
  const auto depth = all_covering(p, 0), height = all_covering(p, 1);
  units.run([&](int64_t x0, int64_t x1, const auto& each_band) {
    Backward<kStride, T, Offset> kernel(p, first + x0, first + x1);
    each_band([&](int64_t plane, int64_t begin, int64_t end) {
      LineWalk walk(p.size[1], begin);
      for (int64_t line = begin; line < end; ++line, walk.next()) {
        kernel.line(grad + plane * outs, offsets + plane * outs, depth.data()[walk.z],
                    height.data()[walk.y], grad_input + (plane * units.lines + line) * p.size[2]);
      }
    });
  });
}

template <typename T, typename Offset>
void backward(const MaxPoolProblem& p, const T* grad, const Offset* offsets, T* grad_input) {
  p.stride[2] == 1 ? backward_by<1>(p, grad, offsets, grad_input)
                   : backward_by<2>(p, grad, offsets, grad_input);
}

}  // namespace

MINIDL_FILL_TABLES(MaxPoolKernels, max_pool_planes,
                   .byte = {&forward<T, uint8_t>, &backward<T, uint8_t>},
                   .wide = {&forward<T, int32_t>, &backward<T, int32_t>})

}  // namespace minidl::cpu::MINIDL_ISA
