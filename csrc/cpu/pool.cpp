#include "cpu/pool.h"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "cpu/scratch.h"
#include "cpu/thread_pool.h"

namespace minidl::cpu {

namespace {

// Elements that are worth a task of their own.
constexpr int64_t kTaskElements = 1 << 14;

// Calls body(plane) for every plane, several planes a task.
template <typename Body>
void for_each_plane(int64_t planes, int64_t work, Body body) {
  const int64_t grain = std::max<int64_t>(1, kTaskElements / std::max<int64_t>(1, work));
  parallel_for(planes, grain, [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) body(plane);
  });
}

// Calls body(z, y, x, index) for every output position in order.
template <typename Body>
void for_each_output(const Extent& out, Body body) {
  int64_t index = 0;
  for (int64_t z = 0; z < out[0]; ++z) {
    for (int64_t y = 0; y < out[1]; ++y) {
      for (int64_t x = 0; x < out[2]; ++x) body(z, y, x, index++);
    }
  }
}

// The taps [begin, end) of one window along one dimension that lie inside the input, and where tap
// 0 lies.
struct Taps {
  int64_t begin, end, origin;
  int64_t first;  // begin, or the last tap where all lie before the input
};

std::vector<Taps> taps_along(const MaxPoolProblem& p, int d) {
  std::vector<Taps> taps(static_cast<size_t>(p.out[d]));
  for (int64_t i = 0; i < p.out[d]; ++i) {
    const int64_t origin = i * p.stride[d] - p.padding[d];
    const int64_t begin = std::max<int64_t>(0, ceil_div(-origin, p.dilation[d]));
    const int64_t end = std::min(p.kernel[d], ceil_div(p.size[d] - origin, p.dilation[d]));
    taps[static_cast<size_t>(i)] = {begin, end, origin, std::min(begin, p.kernel[d] - 1)};
  }
  return taps;
}

std::array<std::vector<Taps>, 3> all_taps(const MaxPoolProblem& p) {
  return {taps_along(p, 0), taps_along(p, 1), taps_along(p, 2)};
}

// Element of the plane under tap `offset` of the window at (z, y, x); -1 for a tap outside.
class Locator {
 public:
  explicit Locator(const MaxPoolProblem& p) : p_(p), taps_(product(p.kernel)) {}

  int64_t operator()(int64_t z, int64_t y, int64_t x, int64_t offset) const {
    if (offset < 0 || offset >= taps_) return -1;
    const int64_t line = offset / p_.kernel[2];
    const int64_t iz = along(0, z, line / p_.kernel[1]);
    const int64_t iy = along(1, y, line % p_.kernel[1]);
    const int64_t ix = along(2, x, offset % p_.kernel[2]);
    return iz < 0 || iy < 0 || ix < 0 ? -1 : (iz * p_.size[1] + iy) * p_.size[2] + ix;
  }

 private:
  int64_t along(int d, int64_t i, int64_t tap) const {
    const int64_t at = i * p_.stride[d] - p_.padding[d] + tap * p_.dilation[d];
    return at < p_.size[d] ? at : -1;
  }

  const MaxPoolProblem& p_;
  int64_t taps_;
};

// Winning taps while a line of the output is under way: as wide as the values, so that both fit the
// same vectors.
template <typename T>
using Tap = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;

// Lets `tap` compete for outputs [begin, end): output i sees from[i * step]. A step known at
// compile time vectorises.
template <int64_t fixed, typename T>
void compete(int64_t begin, int64_t end, int64_t step, Tap<T> tap, const T* __restrict from,
             T* __restrict best, Tap<T>* __restrict winner) {
  if constexpr (fixed != 0) step = fixed;
  for (int64_t i = begin; i < end; ++i) {
    const T value = from[i * step];
    const bool wins = (value > best[i]) | (value != value);
    best[i] = wins ? value : best[i];
    winner[i] = wins ? tap : winner[i];
  }
}

// One line of the output, tap by tap.
template <typename T>
void max_line(const MaxPoolProblem& p, const Taps& z, const Taps& y,
              const std::vector<Taps>& columns, const T* plane, T* best, Tap<T>* winner) {
  const int64_t outs = p.out[2], width = p.size[2], step = p.stride[2];
  std::fill_n(best, outs, -std::numeric_limits<T>::infinity());
  for (int64_t i = 0; i < outs; ++i) {
    const int64_t line = z.first * p.kernel[1] + y.first;
    winner[i] = static_cast<Tap<T>>(line * p.kernel[2] + columns[i].first);
  }
  const auto run = step == 1 ? compete<1, T> : step == 2 ? compete<2, T> : compete<0, T>;
  for (int64_t a = z.begin; a < z.end; ++a) {
    for (int64_t b = y.begin; b < y.end; ++b) {
      const int64_t row = (z.origin + a * p.dilation[0]) * p.size[1] + y.origin + b * p.dilation[1];
      for (int64_t c = 0; c < p.kernel[2]; ++c) {
        const int64_t shift = c * p.dilation[2] - p.padding[2];
        const int64_t begin = std::clamp<int64_t>(ceil_div(-shift, step), 0, outs);
        const int64_t end = std::clamp(ceil_div(width - shift, step), begin, outs);
        const int64_t tap = (a * p.kernel[1] + b) * p.kernel[2] + c;
        run(begin, end, step, static_cast<Tap<T>>(tap), plane + row * width + shift, best, winner);
      }
    }
  }
}

int64_t divisor_at(const MeanPoolProblem& p, const Bin& z, const Bin& y, const Bin& x) {
  return p.divisor != 0 ? p.divisor : z.count * y.count * x.count;
}

}  // namespace

template <typename T, typename Offset>
void max_pool(const MaxPoolProblem& p, const T* input, T* output, Offset* offsets) {
  const auto taps = all_taps(p);
  const int64_t plane_size = product(p.size), outs = product(p.out);
  for_each_plane(p.planes, outs * product(p.kernel), [&](int64_t plane) {
    thread_local Scratch<Tap<T>> scratch;
    Tap<T>* winner = scratch.reserve(p.out[2]);
    int64_t line = plane * p.out[0] * p.out[1];
    for (const Taps& z : taps[0]) {
      for (const Taps& y : taps[1]) {
        const int64_t at = line++ * p.out[2];
        max_line(p, z, y, taps[2], input + plane * plane_size, output + at, winner);
        for (int64_t i = 0; i < p.out[2]; ++i) offsets[at + i] = static_cast<Offset>(winner[i]);
      }
    }
  });
}

template <typename T, typename Offset>
void max_pool_grad(const MaxPoolProblem& p, const T* grad, const Offset* offsets, T* grad_input) {
  const Locator locate(p);
  const int64_t plane_size = product(p.size), outs = product(p.out);
  for_each_plane(p.planes, plane_size + outs, [&](int64_t plane) {
    const T* g = grad + plane * outs;
    const Offset* won = offsets + plane * outs;
    T* into = grad_input + plane * plane_size;
    std::fill_n(into, plane_size, T(0));
    for_each_output(p.out, [&](int64_t z, int64_t y, int64_t x, int64_t index) {
      const int64_t at = locate(z, y, x, won[index]);
      if (at >= 0) into[at] += g[index];
    });
  });
}

template <typename T, typename Offset>
void max_pool_gather(const MaxPoolProblem& p, const T* input, const Offset* offsets, T* output) {
  const Locator locate(p);
  const int64_t plane_size = product(p.size), outs = product(p.out);
  for_each_plane(p.planes, outs, [&](int64_t plane) {
    const T* in = input + plane * plane_size;
    const Offset* won = offsets + plane * outs;
    T* out = output + plane * outs;
    for_each_output(p.out, [&](int64_t z, int64_t y, int64_t x, int64_t index) {
      const int64_t at = locate(z, y, x, won[index]);
      out[index] = at >= 0 ? in[at] : T(0);
    });
  });
}

std::vector<Bin> window_bins(int64_t size, int64_t out, int64_t kernel, int64_t stride,
                             int64_t padding, bool count_padding) {
  std::vector<Bin> bins(static_cast<size_t>(out));
  for (int64_t i = 0; i < out; ++i) {
    const int64_t origin = i * stride - padding;
    const int64_t begin = std::max<int64_t>(0, origin), end = std::min(size, origin + kernel);
    const int64_t padded = std::min(size + padding, origin + kernel) - origin;
    bins[static_cast<size_t>(i)] = {begin, end, count_padding ? padded : end - begin};
  }
  return bins;
}

std::vector<Bin> adaptive_bins(int64_t size, int64_t out) {
  std::vector<Bin> bins(static_cast<size_t>(out));
  for (int64_t i = 0; i < out; ++i) {
    const int64_t begin = i * size / out, end = ceil_div((i + 1) * size, out);
    bins[static_cast<size_t>(i)] = {begin, end, end - begin};
  }
  return bins;
}

template <typename T>
void mean_pool(const MeanPoolProblem& p, const T* input, T* output) {
  const int64_t plane_size = product(p.size), outs = product(p.out);
  for_each_plane(p.planes, plane_size + outs, [&](int64_t plane) {
    const T* in = input + plane * plane_size;
    T* out = output + plane * outs;
    for_each_output(p.out, [&](int64_t z, int64_t y, int64_t x, int64_t index) {
      const Bin &bz = p.bins[0][z], &by = p.bins[1][y], &bx = p.bins[2][x];
      T sum = 0;
      for (int64_t a = bz.begin; a < bz.end; ++a) {
        for (int64_t b = by.begin; b < by.end; ++b) {
          const T* row = in + (a * p.size[1] + b) * p.size[2];
          for (int64_t c = bx.begin; c < bx.end; ++c) sum += row[c];
        }
      }
      out[index] = sum / static_cast<T>(divisor_at(p, bz, by, bx));
    });
  });
}

template <typename T>
void mean_pool_grad(const MeanPoolProblem& p, const T* grad, T* grad_input) {
  const int64_t plane_size = product(p.size), outs = product(p.out);
  for_each_plane(p.planes, plane_size + outs, [&](int64_t plane) {
    const T* g = grad + plane * outs;
    T* into = grad_input + plane * plane_size;
    std::fill_n(into, plane_size, T(0));
    for_each_output(p.out, [&](int64_t z, int64_t y, int64_t x, int64_t index) {
      const Bin &bz = p.bins[0][z], &by = p.bins[1][y], &bx = p.bins[2][x];
      const T share = g[index] / static_cast<T>(divisor_at(p, bz, by, bx));
      for (int64_t a = bz.begin; a < bz.end; ++a) {
        for (int64_t b = by.begin; b < by.end; ++b) {
          T* row = into + (a * p.size[1] + b) * p.size[2];
          for (int64_t c = bx.begin; c < bx.end; ++c) row[c] += share;
        }
      }
    });
  });
}

#define MINIDL_INSTANTIATE_MAX(T, Offset)                                                     \
  template void max_pool<T, Offset>(const MaxPoolProblem&, const T*, T*, Offset*);            \
  template void max_pool_grad<T, Offset>(const MaxPoolProblem&, const T*, const Offset*, T*); \
  template void max_pool_gather<T, Offset>(const MaxPoolProblem&, const T*, const Offset*, T*);
#define MINIDL_INSTANTIATE(T)                                       \
  MINIDL_INSTANTIATE_MAX(T, uint8_t)                                \
  MINIDL_INSTANTIATE_MAX(T, int32_t)                                \
  template void mean_pool<T>(const MeanPoolProblem&, const T*, T*); \
  template void mean_pool_grad<T>(const MeanPoolProblem&, const T*, T*);
MINIDL_INSTANTIATE(float)
MINIDL_INSTANTIATE(double)
#undef MINIDL_INSTANTIATE
#undef MINIDL_INSTANTIATE_MAX

}  // namespace minidl::cpu
