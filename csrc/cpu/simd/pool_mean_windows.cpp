// Means over small windows of planes, tap by tap as maxima (pool_max.cpp): neighbouring outputs, or
// neighbouring elements of a phase, lie side by side in a vector.
#include "cpu/pool.h"
#include "cpu/simd/pool_lines.h"

namespace minidl::cpu::MINIDL_ISA {
namespace {

constexpr int64_t kTask = 1 << 14;  // elements of a task: a few microseconds
constexpr int64_t kTile = 1 << 12;  // elements of a line that are one unit of work

// What the counts of the taps along z and y contribute to the divisor.
template <typename T>
T divisor_of(const MeanPoolProblem& p, const Bin& z, const Bin& y) {
  return static_cast<T>(p.divisor != 0 ? p.divisor : z.count * y.count);
}

// Output line of bins z, y, columns [x0, x1); counts[x] is the divisor's part along x.
template <int kStride, typename T>
MINIDL_INLINE void forward_line(const MeanPoolProblem& p, const T* plane, const Bin& z,
                                const Bin& y, int64_t x0, int64_t x1, const T* counts, T* output) {
  const Vec<T> divisor = splat(divisor_of<T>(p, z, y));
  for (int64_t x = x0; x < x1; x += kLanes<T>) {
    const int64_t at = x * kStride - p.padding[2];
    Vec<T> sum{};
    for (int64_t a = z.begin; a < z.end; ++a) {
      for (int64_t b = y.begin; b < y.end; ++b) {
        const T* const line = plane + (a * p.size[1] + b) * p.size[2];
        for (int64_t c = 0; c < p.kernel[2]; ++c) {
          sum += load_steps<kStride>(line, at + c, kStride, p.size[2], T(0), kLanes<T>);
        }
      }
    }
    store_inside(output, x, x1, sum / (divisor * load(counts + x)));
  }
}

// T(1), or where no one divisor holds for all the count of each output along x; one vector more
// than outputs.
template <typename T>
Workspace<T> counts_along(const MeanPoolProblem& p) {
  const Bin* const bins = p.bins[2].data();
  return Workspace<T>(p.out[2] + kLanes<T>, [&](int64_t i) {
    return p.divisor != 0 || i >= p.out[2] ? T(1) : static_cast<T>(bins[i].count);
  });
}

template <int kStride, typename T>
void forward_by(const MeanPoolProblem& p, const T* input, T* output) {
  const Units units(p.outer, p.out[0] * p.out[1], p.out[2], kTile, kTask);
  const int64_t size = p.size[0] * p.size[1] * p.size[2];
  const Workspace<T> counts = counts_along<T>(p);
  const Bin *const depth = p.bins[0].data(), *const height = p.bins[1].data();
  units.run([&](int64_t x0, int64_t x1, const auto& each_band) {
    each_band([&](int64_t plane, int64_t begin, int64_t end) {
      LineWalk walk(p.out[1], begin);
      for (int64_t line = begin; line < end; ++line, walk.next()) {
        forward_line<kStride>(p, input + plane * size, depth[walk.z], height[walk.y], x0, x1,
                              counts.data(), output + (plane * units.lines + line) * p.out[2]);
      }
    });
  });
}

template <typename T>
void forward(const MeanPoolProblem& p, const T* input, T* output) {
  p.stride[2] == 1 ? forward_by<1>(p, input, output) : forward_by<2>(p, input, output);
}

// A line of grad_input that windows z, y cover, elements [i0, i1) of its phases; parts[x] is 1 over
// the divisor's part along x.
template <int kStride, typename T>
MINIDL_INLINE void backward_line(const MeanPoolProblem& p, const T* grad, const Range& z,
                                 const Range& y, int64_t i0, int64_t i1, const T* parts,
                                 T* grad_input) {
  const Bin *const depth = p.bins[0].data(), *const height = p.bins[1].data();
  const int64_t outs = p.out[2], width = std::min(p.size[2], i1 * kStride - p.padding[2]);
  for (int64_t i = i0; i < i1; i += kLanes<T>) {
    Vec<T> sums[kStride]{};
    for (int64_t oz = z.begin; oz < z.end; ++oz) {
      for (int64_t oy = y.begin; oy < y.end; ++oy) {
        const T* const line = grad + (oz * p.out[1] + oy) * outs;
        const Vec<T> part = splat(T(1) / divisor_of<T>(p, depth[oz], height[oy]));
        // Tap c of window i - c / kStride meets the element of phase c % kStride.
        for (int64_t c = 0, at = i; c < p.kernel[2]; c += kStride, --at) {
          const Vec<T> share =
              load_inside(line, at, outs, T(0)) * (part * load_inside(parts, at, outs, T(0)));
          sums[0] += share;
          if (kStride == 2 && c + 1 < p.kernel[2]) sums[kStride - 1] += share;
        }
      }
    }
    const int64_t at = i * kStride - p.padding[2];
    if constexpr (kStride == 1) {
      store_inside(grad_input, at, width, sums[0]);
    } else {
      store_inside(grad_input, at, width, alternate<T, 0>(sums[0], sums[1]));
      store_inside(grad_input, at + kLanes<T>, width, alternate<T, 1>(sums[0], sums[1]));
    }
  }
}

template <int kStride, typename T>
void backward_by(const MeanPoolProblem& p, const T* grad, T* grad_input) {
  const int64_t first = p.padding[2] / kStride;
  const int64_t last = (p.size[2] - 1 + p.padding[2]) / kStride;
  const Units units(p.outer, p.size[0] * p.size[1], p.size[2] == 0 ? 0 : last - first + 1, kTile,
                    kTask / kStride);
  const int64_t outs = p.out[0] * p.out[1] * p.out[2];
  const Workspace<T> counts = counts_along<T>(p);
  const Workspace<T> parts(p.out[2], [&](int64_t i) { return T(1) / counts.data()[i]; });
  const Range *const depth = p.cover[0].data(), *const height = p.cover[1].data();
  units.run([&](int64_t x0, int64_t x1, const auto& each_band) {
    each_band([&](int64_t plane, int64_t begin, int64_t end) {
      LineWalk walk(p.size[1], begin);
      for (int64_t line = begin; line < end; ++line, walk.next()) {
        backward_line<kStride>(p, grad + plane * outs, depth[walk.z], height[walk.y], first + x0,
                               first + x1, parts.data(),
                               grad_input + (plane * units.lines + line) * p.size[2]);
      }
    });
  });
}

template <typename T>
void backward(const MeanPoolProblem& p, const T* grad, T* grad_input) {
  p.stride[2] == 1 ? backward_by<1>(p, grad, grad_input) : backward_by<2>(p, grad, grad_input);
}

}  // namespace

MINIDL_FILL_TABLES(MeanPoolKernels, mean_pool_windows, .forward = &forward<T>,
                   .backward = &backward<T>)

}  // namespace minidl::cpu::MINIDL_ISA
