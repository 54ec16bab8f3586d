#include "cpu/conv_winograd_kernels.h"
#include "cpu/simd/vec.h"

namespace minidl::cpu::MINIDL_ISA {
namespace {

// G g G^T, G = [1 0 0; 1/2 1/2 1/2; 1/2 -1/2 1/2; 0 0 1]
template <typename T>
void weights(int64_t width, const T* weight, T* to, int64_t position_step) {
  const Vec<T> half = splat(T(0.5));
  for (int64_t v = 0; v < width; v += kLanes<T>) {
    Vec<T> columns[4][3];
    for (int x = 0; x < 3; ++x) {
      const Vec<T> a = load(weight + x * width + v), b = load(weight + (3 + x) * width + v),
                   c = load(weight + (6 + x) * width + v);
      columns[0][x] = a;
      columns[1][x] = half * (a + c + b);
      columns[2][x] = half * (a + c - b);
      columns[3][x] = c;
    }
    for (int y = 0; y < 4; ++y) {
      const Vec<T> a = columns[y][0], b = columns[y][1], c = columns[y][2];
      T* const row = to + 4 * y * position_step + v;
      store(row, a);
      store(row + position_step, half * (a + c + b));
      store(row + 2 * position_step, half * (a + c - b));
      store(row + 3 * position_step, c);
    }
  }
}

// B^T d B, B^T = [1 0 -1 0; 0 1 1 0; 0 -1 1 0; 0 1 0 -1]
template <typename T, typename Read, typename Write>
MINIDL_INLINE void input_tile(const Read& read, const Write& write) {
  Vec<T> rows[4][4];
#pragma GCC unroll 4
  for (int x = 0; x < 4; ++x) {
    const Vec<T> a = read(0, x), b = read(1, x), c = read(2, x), d = read(3, x);
    rows[0][x] = a - c;
    rows[1][x] = b + c;
    rows[2][x] = c - b;
    rows[3][x] = b - d;
  }
#pragma GCC unroll 4
  for (int y = 0; y < 4; ++y) {
    const Vec<T>* r = rows[y];
    write(4 * y, r[0] - r[2]);
    write(4 * y + 1, r[1] + r[2]);
    write(4 * y + 2, r[2] - r[1]);
    write(4 * y + 3, r[1] - r[3]);
  }
}

template <typename T>
void inputs(const WinogradRow<T>& job, const T* image, T* to) {
  constexpr int64_t n = kLanes<T>;
  for (int64_t tile = 0; tile < job.tiles; ++tile) {
    int64_t c = 0;
    for (; c + n <= job.channels; c += n) {
      input_tile<T>([&](int y, int x) { return load(image + y * job.row + x * job.column + c); },
                    [&](int p, Vec<T> v) { store(to + p * job.position_step + c, v); });
    }
    if (c < job.channels) {
      const int64_t rest = job.channels - c;
      input_tile<T>(
          [&](int y, int x) { return load_n(image + y * job.row + x * job.column + c, rest); },
          [&](int p, Vec<T> v) { store_n(to + p * job.position_step + c, rest, v); });
    }
    image += 2 * job.column;
    to += job.tile_step;
  }
}

// A^T m A, A^T = [1 1 1 0; 0 1 -1 -1]
template <typename T>
bool outputs(const WinogradRow<T>& job, const T* from, const T* bias, int64_t height,
             int64_t columns, T* image) {
  constexpr int64_t n = kLanes<T>;
  Vec<T> zeros{};  // stays 0 as long as all values are finite
  for (int64_t tile = 0; tile < job.tiles; ++tile) {
    for (int64_t c = 0; c < job.channels; c += n) {
      const int64_t rest = job.channels - c;
      const Vec<T> start = bias == nullptr ? Vec<T>{}
                           : rest >= n     ? load(bias + c)
                                           : load_n(bias + c, rest);
      Vec<T> rows[2][4];
#pragma GCC unroll 4
      for (int x = 0; x < 4; ++x) {
        const T* const m = from + x * job.position_step + c;
        const Vec<T> a = load(m), b = load(m + 4 * job.position_step),
                     d = load(m + 8 * job.position_step), e = load(m + 12 * job.position_step);
        rows[0][x] = a + b + d;
        rows[1][x] = b - d - e;
      }
#pragma GCC unroll 2
      for (int y = 0; y < 2; ++y) {
        if (y >= height) break;
        const Vec<T> left = start + (rows[y][0] + rows[y][1] + rows[y][2]);
        const Vec<T> right = start + (rows[y][1] - rows[y][2] - rows[y][3]);
        zeros += left * T(0) + right * T(0);
        T* const to = image + y * job.row + c;
        rest >= n ? store(to, left) : store_n(to, rest, left);
        if (2 * tile + 1 >= columns) continue;
        rest >= n ? store(to + job.column, right) : store_n(to + job.column, rest, right);
      }
    }
    from += job.tile_step;
    image += 2 * job.column;
  }
  return sum_lanes<T>(zeros) == 0;
}

// A dy A^T
template <typename T>
void grads(const WinogradRow<T>& job, const T* image, T* to) {
  constexpr int64_t n = kLanes<T>;
  for (int64_t tile = 0; tile < job.tiles; ++tile) {
    for (int64_t c = 0; c < job.channels; c += n) {
      const int64_t rest = job.channels - c;
      const auto read = [&](const T* from) { return rest >= n ? load(from) : load_n(from, rest); };
      Vec<T> rows[4][2];
#pragma GCC unroll 2
      for (int x = 0; x < 2; ++x) {
        const Vec<T> a = read(image + x * job.column + c),
                     b = read(image + job.row + x * job.column + c);
        rows[0][x] = a;
        rows[1][x] = a + b;
        rows[2][x] = a - b;
        rows[3][x] = -b;
      }
#pragma GCC unroll 4
      for (int y = 0; y < 4; ++y) {
        T* const row = to + 4 * y * job.position_step + c;
        const Vec<T> a = rows[y][0], b = rows[y][1];
        store(row, a);
        store(row + job.position_step, a + b);
        store(row + 2 * job.position_step, a - b);
        store(row + 3 * job.position_step, -b);
      }
    }
    image += 2 * job.column;
    to += job.tile_step;
  }
}

// G^T m G
template <typename T>
bool weight_grads(int64_t width, const T* from, int64_t position_step, T* weight) {
  const Vec<T> half = splat(T(0.5));
  Vec<T> zeros{};  // stays 0 as long as all values are finite
  for (int64_t v = 0; v < width; v += kLanes<T>) {
    Vec<T> rows[3][4];
#pragma GCC unroll 4
    for (int x = 0; x < 4; ++x) {
      const T* const m = from + x * position_step + v;
      const Vec<T> b = load(m + 4 * position_step), c = load(m + 8 * position_step);
      rows[0][x] = load(m) + half * (b + c);
      rows[1][x] = half * (b - c);
      rows[2][x] = half * (b + c) + load(m + 12 * position_step);
    }
#pragma GCC unroll 3
    for (int y = 0; y < 3; ++y) {
      const Vec<T>* r = rows[y];
      const Vec<T> out[3] = {r[0] + half * (r[1] + r[2]), half * (r[1] - r[2]),
                             half * (r[1] + r[2]) + r[3]};
#pragma GCC unroll 3
      for (int x = 0; x < 3; ++x) {
        zeros += out[x] * T(0);
        store(weight + (3 * y + x) * width + v, out[x]);
      }
    }
  }
  return sum_lanes<T>(zeros) == 0;
}

}  // namespace

MINIDL_FILL_TABLES(WinogradKernels, winograd_kernels, .weights = &weights<T>, .inputs = &inputs<T>,
                   .outputs = &outputs<T>, .grads = &grads<T>, .weight_grads = &weight_grads<T>)

}  // namespace minidl::cpu::MINIDL_ISA
