#include "cpu/pool.h"

#include <algorithm>
#include <limits>

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

// Where tap `offset` of the window at (z, y, x) lies in the flat input.
class Locator {
 public:
  explicit Locator(const MaxPoolProblem& p) : p_(p), taps_(product(p.kernel)) {}

  // -1 for a tap outside.
  int64_t operator()(int64_t z, int64_t y, int64_t x, int64_t offset) const {
    if (offset < 0 || offset >= taps_) return -1;
    const int64_t line = offset / p_.kernel[2];
    const int64_t iz = along(0, z, line / p_.kernel[1]);
    const int64_t iy = along(1, y, line % p_.kernel[1]);
    const int64_t ix = along(2, x, offset % p_.kernel[2]);
    const bool inside =
        0 <= iz && iz < p_.size[0] && 0 <= iy && iy < p_.size[1] && 0 <= ix && ix < p_.size[2];
    return inside ? (iz * p_.size[1] + iy) * p_.size[2] + ix : -1;
  }

  // Without looking whether it is inside.
  int64_t anywhere(int64_t z, int64_t y, int64_t x, int64_t offset) const {
    const int64_t line = offset / p_.kernel[2];
    const int64_t iz = along(0, z, line / p_.kernel[1]);
    const int64_t iy = along(1, y, line % p_.kernel[1]);
    return (iz * p_.size[1] + iy) * p_.size[2] + along(2, x, offset % p_.kernel[2]);
  }

 private:
  int64_t along(int d, int64_t i, int64_t tap) const {
    return i * p_.stride[d] - p_.padding[d] + tap * p_.dilation[d];
  }

  const MaxPoolProblem& p_;
  int64_t taps_;
};

// Where windows are few beside the elements, visiting the windows is faster than the elements. A
// plane is one thread's, and its windows come in order: no element is written by two.
template <typename T, typename Offset>
void scatter_grad(const MaxPoolProblem& p, const T* grad, const Offset* offsets, T* grad_input) {
  const Locator locate(p);
  const int64_t plane_size = product(p.size), outs = product(p.out);
  for_each_plane(p.outer, plane_size + outs, [&](int64_t plane) {
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
const MaxPoolPair<T, Offset>& max_pool_pair(const MaxPoolProblem& p) {
  const auto& kernels = p.inner == 1 ? max_pool_planes<T>() : max_pool_pixels<T>();
  if constexpr (sizeof(Offset) == 1) {
    return kernels.byte;
  } else {
    return kernels.wide;
  }
}

}  // namespace

template <typename T, typename Offset>
void max_pool(const MaxPoolProblem& p, const T* input, T* output, Offset* offsets) {
  max_pool_pair<T, Offset>(p).forward(p, input, output, offsets);
}

template <typename T, typename Offset>
void max_pool_grad(const MaxPoolProblem& p, const T* grad, const Offset* offsets, T* grad_input) {
  if (p.inner == 1 && p.stride[2] > 2) {
    scatter_grad(p, grad, offsets, grad_input);
  } else {
    max_pool_pair<T, Offset>(p).backward(p, grad, offsets, grad_input);
  }
}

template <typename T, typename Offset>
void max_pool_gather(const MaxPoolProblem& p, const T* input, const Offset* offsets, T* output) {
  const Locator locate(p);
  const int64_t plane_size = product(p.size), outs = product(p.out);
  for_each_plane(p.outer, outs, [&](int64_t plane) {
    const T* in = input + plane * plane_size;
    const Offset* won = offsets + plane * outs;
    T* out = output + plane * outs;
    for_each_output(p.out, [&](int64_t z, int64_t y, int64_t x, int64_t index) {
      const int64_t at = locate(z, y, x, won[index]);
      out[index] = at >= 0 ? in[at] : T(0);
    });
  });
}

template <typename Offset>
void max_pool_indices(const MaxPoolProblem& p, const Offset* offsets, int64_t* indices) {
  const Locator locate(p);
  const int64_t outs = product(p.out) * p.inner;
  for_each_plane(p.outer, outs, [&](int64_t image) {
    const Offset* won = offsets + image * outs;
    int64_t* to = indices + image * outs;
    for_each_output(p.out, [&](int64_t z, int64_t y, int64_t x, int64_t) {
      for (int64_t c = 0; c < p.inner; ++c) *to++ = locate.anywhere(z, y, x, *won++);
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

bool is_small_window(const MeanPoolProblem& p) {
  constexpr int64_t most =
      32;  // taps: beyond, adding up one dimension after the other is less work
  if (p.inner != 1 || p.stride[2] < 1 || p.stride[2] > 2) return false;
  for (const int64_t size : p.kernel) {
    if (size > most) return false;
  }
  return product(p.kernel) <= most;
}

void cover_bins(MeanPoolProblem& p) {
  for (int d = 0; d < 3; ++d) {
    const auto& bins = p.bins[d];
    p.cover[d].resize(static_cast<size_t>(p.size[d]));
    p.overlap[d] = 0;
    size_t begin = 0, end = 0;
    for (int64_t i = 0; i < p.size[d]; ++i) {
      while (begin < bins.size() && bins[begin].end <= i) ++begin;
      end = std::max(begin, end);
      while (end < bins.size() && bins[end].begin <= i) ++end;
      p.cover[d][i] = {static_cast<int64_t>(begin), static_cast<int64_t>(end)};
      p.overlap[d] = std::max(p.overlap[d], static_cast<int64_t>(end - begin));
    }
  }
}

template <typename T>
void adaptive_max_pool(const AdaptiveMaxProblem& p, const T* input, T* output, int64_t* indices) {
  const int64_t plane_size = product(p.size), outs = product(p.out);
  for_each_plane(p.planes, plane_size + outs, [&](int64_t plane) {
    const T* in = input + plane * plane_size;
    for_each_output(p.out, [&](int64_t z, int64_t y, int64_t x, int64_t index) {
      const Bin &bz = p.bins[0][z], &by = p.bins[1][y], &bx = p.bins[2][x];
      int64_t winner = (bz.begin * p.size[1] + by.begin) * p.size[2] + bx.begin;
      T best = -std::numeric_limits<T>::infinity();
      for (int64_t a = bz.begin; a < bz.end; ++a) {
        for (int64_t b = by.begin; b < by.end; ++b) {
          const int64_t line = (a * p.size[1] + b) * p.size[2];
          for (int64_t at = line + bx.begin; at < line + bx.end; ++at) {
            const bool wins = (in[at] > best) | (in[at] != in[at]);
            best = wins ? in[at] : best;
            winner = wins ? at : winner;
          }
        }
      }
      output[plane * outs + index] = best;
      indices[plane * outs + index] = winner;
    });
  });
}

#define MINIDL_INSTANTIATE_MAX(T, Offset)                                                     \
  template void max_pool<T, Offset>(const MaxPoolProblem&, const T*, T*, Offset*);            \
  template void max_pool_grad<T, Offset>(const MaxPoolProblem&, const T*, const Offset*, T*); \
  template void max_pool_gather<T, Offset>(const MaxPoolProblem&, const T*, const Offset*, T*);
#define MINIDL_INSTANTIATE(T)        \
  MINIDL_INSTANTIATE_MAX(T, uint8_t) \
  MINIDL_INSTANTIATE_MAX(T, int32_t) \
  template void adaptive_max_pool<T>(const AdaptiveMaxProblem&, const T*, T*, int64_t*);
MINIDL_INSTANTIATE(float)
MINIDL_INSTANTIATE(double)
template void max_pool_indices<uint8_t>(const MaxPoolProblem&, const uint8_t*, int64_t*);
template void max_pool_indices<int32_t>(const MaxPoolProblem&, const int32_t*, int64_t*);
#undef MINIDL_INSTANTIATE
#undef MINIDL_INSTANTIATE_MAX

}  // namespace minidl::cpu
