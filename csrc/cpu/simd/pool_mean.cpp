// Means over bins of any size, one dimension after the other: the lines of a bin are added up, then
// neighbours within the sum; the gradient goes the same way back.
#include "cpu/pool.h"
#include "cpu/simd/pool_lines.h"

namespace minidl::cpu::MINIDL_ISA {
namespace {

constexpr int64_t kBeyondCaches = 16 << 20;  // bytes of an array that no second cache holds

constexpr int64_t kTask = 1 << 14;  // elements of a task: a few microseconds
constexpr int64_t kTile = 1 << 11;  // elements of a line in work
constexpr int64_t kChunk = 64;      // addends in a row before a sum starts anew: keeps errors small

MINIDL_INLINE int64_t power_of_two(int64_t least) {
  int64_t n = 1;
  while (n < least) n *= 2;
  return n;
}

// Prepared lines (z, y) of `size` elements, each in the slot of its remainders, where `depth` x
// `height` neighbouring ones never meet.
template <typename T>
class LineCache {
 public:
  LineCache(int64_t depth, int64_t height, int64_t size)
      : depth_(power_of_two(depth)),
        height_(power_of_two(height)),
        size_(size),
        lines_(depth_ * height_ * size),
        held_(depth_ * height_) {}

  // Forgets all lines; every element is `value`.
  void clear(T value) {
    std::fill_n(lines_.data(), depth_ * height_ * size_, value);
    std::fill_n(held_.data(), depth_ * height_, int64_t{-1});
  }

  // Line number `id` at (z, y), after prepare(T*) where its slot holds another one.
  template <typename Prepare>
  MINIDL_INLINE const T* line(int64_t z, int64_t y, int64_t id, const Prepare& prepare) {
    const int64_t slot = (z & (depth_ - 1)) * height_ + (y & (height_ - 1));
    T* const at = lines_.data() + slot * size_;
    if (held_.data()[slot] != id) {
      held_.data()[slot] = id;
      prepare(at);
    }
    return at;
  }

 private:
  int64_t depth_, height_, size_;
  Workspace<T> lines_;
  Workspace<int64_t> held_;
};

// to[0 .. n) = the sum over the lines at from + z * depth + y * height, z < nz, y < ny; n elements
// each
template <typename T>
struct LineSum {
  const T* from;
  int64_t nz, depth, ny, height;

  template <int kVectors>
  MINIDL_INLINE void block(int64_t i, int64_t n, T* to) const {
    Vec<T> total[kVectors]{};
    for (int64_t z = 0; z < nz; ++z) {
      for (int64_t chunk = 0; chunk < ny; chunk += kChunk) {
        Vec<T> part[kVectors]{};
        for (int64_t y = chunk; y < std::min(ny, chunk + kChunk); ++y) {
          const T* const line = from + z * depth + y * height + i;
          for (int v = 0; v < kVectors; ++v) {
            part[v] += n == kLanes<T> ? load(line + v * kLanes<T>) : load_n(line, n);
          }
        }
        for (int v = 0; v < kVectors; ++v) total[v] += part[v];
      }
    }
    for (int v = 0; v < kVectors; ++v) {
      n == kLanes<T> ? store(to + i + v * kLanes<T>, total[v]) : store_n(to + i, n, total[v]);
    }
  }

  void write(int64_t n, T* to) const {
    constexpr int64_t lanes = kLanes<T>;
    int64_t i = 0;
    for (; i + 4 * lanes <= n; i += 4 * lanes) block<4>(i, lanes, to);
    for (; i + lanes <= n; i += lanes) block<1>(i, lanes, to);
    if (i == n) return;
    n < lanes ? block<1>(0, n, to) : block<1>(n - lanes, lanes, to);
  }
};

// The sum of x[0 .. n): lanes first, chunks of them pairwise.
template <typename T>
T sum_run(const T* x, int64_t n) {
  constexpr int64_t lanes = kLanes<T>;
  if (n > 4 * lanes * kChunk) {
    const int64_t half = round_up(n / 2, 4 * lanes);
    return sum_run(x, half) + sum_run(x + half, n - half);
  }
  Vec<T> sums[4]{};
  int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    for (int v = 0; v < 4; ++v) sums[v] += load(x + i + v * lanes);
  }
  for (; i + lanes <= n; i += lanes) sums[0] += load(x + i);
  if (i < n) sums[1] += load_n(x + i, n - i);
  return sum_lanes<T>((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

// to[0 .. n) += from[0 .. n)
template <typename T>
MINIDL_INLINE void add_run(const T* __restrict from, int64_t n, T* __restrict to) {
  for (int64_t i = 0; i < n; ++i) to[i] += from[i];
}

// to[0 .. n) = from / (divisor * counts)
template <typename T>
MINIDL_INLINE void divide(const T* __restrict from, const T* __restrict counts, T divisor,
                          int64_t n, T* __restrict to) {
  for (int64_t i = 0; i < n; ++i) to[i] = from[i] / (divisor * counts[i]);
}

// Divisors of a line of outputs, as far as they are the same for all of it.
template <typename T>
T divisor_of(const MeanPoolProblem& p, const Bin& z, const Bin& y) {
  return static_cast<T>(p.divisor != 0 ? p.divisor : z.count * y.count);
}

// Divisors along x; 1 where one divisor holds for all.
template <typename T>
void fill_counts(const MeanPoolProblem& p, int64_t x0, int64_t outs, T* counts) {
  const Bin* const bins = p.bins[2].data() + x0;
  for (int64_t i = 0; i < outs; ++i) counts[i] = p.divisor != 0 ? T(1) : T(bins[i].count);
}

template <typename T>
class Forward {
 public:
  Forward(const MeanPoolProblem& p, int64_t x0, int64_t x1)
      : p_(p),
        x0_(x0),
        outs_(x1 - x0),
        low_(p.bins[2].data()[x0].begin),
        high_(std::max(low_, p.bins[2].data()[x1 - 1].end)),
        sums_((high_ - low_) * p.inner),
        counts_(outs_) {
    fill_counts(p, x0, outs_, counts_.data());
  }

  // Line (z, y) of an image's output, from the tile's first column on.
  void line(const T* image, int64_t z, int64_t y, T* output) {
    const Bin &bz = p_.bins[0].data()[z], &by = p_.bins[1].data()[y];
    const int64_t width = p_.size[2] * p_.inner, plane = p_.size[1] * width;
    const LineSum<T> lines{image + bz.begin * plane + by.begin * width + low_ * p_.inner,
                           bz.end - bz.begin, plane, by.end - by.begin, width};
    lines.write((high_ - low_) * p_.inner, sums_.data());
    add_columns(divisor_of<T>(p_, bz, by), output);
  }

 private:
  void add_columns(T divisor, T* output) const {
    const Bin* const bins = p_.bins[2].data() + x0_;
    for (int64_t i = 0; i < outs_; ++i) {
      const T* const from = sums_.data() + (bins[i].begin - low_) * p_.inner;
      const int64_t count = bins[i].end - bins[i].begin;
      if (p_.inner == 1) {
        output[i] = sum_run(from, count) / (divisor * counts_.data()[i]);
        continue;
      }
      T* const to = output + i * p_.inner;
      LineSum<T>{from, 1, 0, count, p_.inner}.write(p_.inner, to);
      const T by = divisor * counts_.data()[i];
      for (int64_t c = 0; c < p_.inner; ++c) to[c] /= by;
    }
  }

  const MeanPoolProblem& p_;
  int64_t x0_, outs_, low_, high_;  // the bins are in columns [low, high) of the input
  Workspace<T> sums_, counts_;
};

// Elements of the longest line in work for a tile of one more column.
int64_t tile_of(const MeanPoolProblem& p, int64_t per_column) {
  return std::max<int64_t>(1, kTile / std::max<int64_t>(1, per_column * p.inner));
}

bool is_global(const MeanPoolProblem& p) {
  if (p.inner != 1) return false;
  for (int d = 0; d < 3; ++d) {
    if (p.out[d] != 1) return false;
    const Bin& bin = p.bins[d].data()[0];
    if (bin.begin != 0 || bin.end != p.size[d]) return false;
  }
  return true;
}

template <typename T>
T global_divisor(const MeanPoolProblem& p) {
  const Bin &z = p.bins[0].data()[0], &y = p.bins[1].data()[0], &x = p.bins[2].data()[0];
  return divisor_of<T>(p, z, y) * static_cast<T>(p.divisor != 0 ? 1 : x.count);
}

template <typename T>
void forward(const MeanPoolProblem& p, const T* input, T* output) {
  const int64_t image = p.size[0] * p.size[1] * p.size[2] * p.inner;
  if (is_global(p)) {
    const T divisor = global_divisor<T>(p);
    const int64_t grain = std::max<int64_t>(1, 2 * kTask / std::max<int64_t>(1, image));
    parallel_for(p.outer, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) output[i] = sum_run(input + i * image, image) / divisor;
    });
    return;
  }
  const int64_t outs = p.out[0] * p.out[1] * p.out[2];
  const int64_t columns = outs == 0 ? 1 : p.size[2] / p.out[2] + 1;
  const Units units(p.outer, p.out[0] * p.out[1], p.out[2], tile_of(p, columns),
                    std::max<int64_t>(1, kTask / std::max<int64_t>(1, p.inner)));
  units.run([&](int64_t x0, int64_t x1, const auto& each_band) {
    Forward<T> kernel(p, x0, x1);
    each_band([&](int64_t plane, int64_t begin, int64_t end) {
      LineWalk walk(p.out[1], begin);
      for (int64_t line = begin; line < end; ++line, walk.next()) {
        T* const to = output + ((plane * units.lines + line) * p.out[2] + x0) * p.inner;
        kernel.line(input + plane * image, walk.z, walk.y, to);
      }
    });
  });
}

template <typename T>
class Backward {
 public:
  // Columns [x0, x1) of the input.
  Backward(const MeanPoolProblem& p, int64_t x0, int64_t x1)
      : p_(p),
        x0_(x0),
        x1_(x1),
        low_(p.cover[2].data()[x0].begin),
        outs_(std::max<int64_t>(0, p.cover[2].data()[x1 - 1].end - low_)),
        shares_(p.overlap[0], p.overlap[1], outs_ * p.inner),
        lines_(p.overlap[0] * p.overlap[1]),
        sums_(outs_ * p.inner),
        counts_(outs_) {
    fill_counts(p, low_, outs_, counts_.data());
  }

  void start_image() { shares_.clear(T(0)); }

  // Line (z, y) of an image of grad_input, from its first column on.
  void line(const T* grad, int64_t z, int64_t y, T* grad_input) {
    const Range oz = p_.cover[0].data()[z], oy = p_.cover[1].data()[y];
    int64_t count = 0;
    for (int64_t a = oz.begin; a < oz.end; ++a) {
      for (int64_t b = oy.begin; b < oy.end; ++b) lines_.data()[count++] = share(grad, a, b);
    }
    const T* sum = count == 0 ? sums_.data() : lines_.data()[0];
    if (count != 1) {
      std::fill_n(sums_.data(), outs_ * p_.inner, T(0));
      for (int64_t l = 0; l < count; ++l) add_run(lines_.data()[l], outs_ * p_.inner, sums_.data());
      sum = sums_.data();
    }
    spread_columns(sum, grad_input);
  }

 private:
  // grad / divisor of the outputs whose bins hold the columns
  const T* share(const T* grad, int64_t oz, int64_t oy) {
    const int64_t id = oz * p_.out[1] + oy;
    return shares_.line(oz, oy, id, [&](T* to) {
      const T divisor = divisor_of<T>(p_, p_.bins[0].data()[oz], p_.bins[1].data()[oy]);
      const T* const from = grad + (id * p_.out[2] + low_) * p_.inner;
      if (p_.inner == 1) return divide(from, counts_.data(), divisor, outs_, to);
      for (int64_t i = 0; i < outs_; ++i) {
        const int64_t at = i * p_.inner;
        const T by = divisor * counts_.data()[i];
        for (int64_t c = 0; c < p_.inner; ++c) to[at + c] = from[at + c] / by;
      }
    });
  }

  void spread_columns(const T* sum, T* grad_input) const {
    const Range* const cover = p_.cover[2].data();
    for (int64_t x = x0_; x < x1_;) {
      const Range range = cover[x];
      int64_t end = x + 1;  // elements of the same bins have the same gradient
      while (end < x1_ && cover[end].begin == range.begin && cover[end].end == range.end) ++end;
      T* const to = grad_input + x * p_.inner;
      if (p_.inner == 1) {
        T total = 0;
        for (int64_t o = range.begin; o < range.end; ++o) total += sum[o - low_];
        std::fill_n(to, end - x, total);
      } else {
        const T* const from = sum + (range.begin - low_) * p_.inner;
        LineSum<T>{from, 1, 0, range.end - range.begin, p_.inner}.write(p_.inner, to);
        for (int64_t i = 1; i < end - x; ++i) std::copy_n(to, p_.inner, to + i * p_.inner);
      }
      x = end;
    }
  }

  const MeanPoolProblem& p_;
  int64_t x0_, x1_, low_, outs_;  // outputs [low, low + outs) have bins that hold the columns
  LineCache<T> shares_;
  Workspace<const T*> lines_;
  Workspace<T> sums_, counts_;
};

// `count` times `value`. `streams` leaves the caches out: an array that they do not hold anyway is
// then written without being read first.
template <typename T>
void fill(T* to, int64_t count, T value, [[maybe_unused]] bool streams) {
#if defined(__AVX512F__)
  const Vec<T> v = splat(value);
  const auto past = static_cast<int64_t>(reinterpret_cast<uintptr_t>(to) % sizeof v);
  const int64_t head = (kVectorBytes - past) % kVectorBytes / static_cast<int64_t>(sizeof(T));
  if (streams && count > head) {
    std::fill_n(to, head, value);
    for (to += head, count -= head; count >= kLanes<T>; to += kLanes<T>, count -= kLanes<T>) {
      _mm512_stream_si512(reinterpret_cast<__m512i*>(to), reinterpret_cast<__m512i>(v));
    }
  }
#endif
  std::fill_n(to, count, value);
}

template <typename T>
void backward(const MeanPoolProblem& p, const T* grad, T* grad_input) {
  const int64_t image = p.size[0] * p.size[1] * p.size[2] * p.inner;
  if (is_global(p)) {
    const T divisor = global_divisor<T>(p);
    const bool streams = p.outer * image * static_cast<int64_t>(sizeof(T)) >= kBeyondCaches;
    const int64_t grain = std::max<int64_t>(1, 2 * kTask / std::max<int64_t>(1, image));
    parallel_for(p.outer, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        fill(grad_input + i * image, image, grad[i] / divisor, streams);
      }
#if defined(__AVX512F__)
      _mm_sfence();  // streamed values are seen by whoever waits for this task
#endif
    });
    return;
  }
  const int64_t outs = p.out[0] * p.out[1] * p.out[2] * p.inner;
  const Units units(p.outer, p.size[0] * p.size[1], p.size[2], tile_of(p, 1),
                    std::max<int64_t>(1, kTask / std::max<int64_t>(1, p.inner)));
  units.run([&](int64_t x0, int64_t x1, const auto& each_band) {
    Backward<T> kernel(p, x0, x1);
    each_band([&](int64_t plane, int64_t begin, int64_t end) {
      kernel.start_image();
      LineWalk walk(p.size[1], begin);
      for (int64_t line = begin; line < end; ++line, walk.next()) {
        kernel.line(grad + plane * outs, walk.z, walk.y,
                    grad_input + (plane * units.lines + line) * p.size[2] * p.inner);
      }
    });
  });
}

}  // namespace

MINIDL_FILL_TABLES(MeanPoolKernels, mean_pool_bins, .forward = &forward<T>,
                   .backward = &backward<T>)

}  // namespace minidl::cpu::MINIDL_ISA
