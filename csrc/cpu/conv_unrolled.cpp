#include "cpu/conv_unrolled.h"

#include <algorithm>
#include <vector>

#include "cpu/gemm.h"
#include "cpu/scratch.h"
#include "cpu/thread_pool.h"

namespace minidl::cpu {

namespace {

// A tile of the unrolled matrix holds about this many elements: it stays in the second cache level.
constexpr int64_t kTileElements = 1 << 17;
// Rows of the unrolled matrix that one task of a gradient handles at least, if there are as many.
constexpr int64_t kRowBlock = 192;
// Multiplications that are worth a task of their own.
constexpr int64_t kTaskWork = 1 << 16;

int64_t tile_points(const ConvProblem& p) {
  const int64_t fitting = kTileElements / std::max<int64_t>(1, p.rows());
  return std::min(p.points(), std::clamp<int64_t>(fitting / 32 * 32, 64, 1024));
}

// Pieces of about `kTaskWork` multiplications, for tasks of `work` each.
int64_t grain(int64_t work) { return std::max<int64_t>(1, kTaskWork / std::max<int64_t>(1, work)); }

// A stretch of a row of the unrolled matrix whose windows lie side by side in one line of the
// output. Entries [begin, end) of it are inside the image, the first of them at `source` of its
// channel, the next `stride` further.
struct Stretch {
  int64_t at, length, begin, end, source;
};

// Calls visit(stretch) for the stretches of points [first, first + count) under kernel tap `tap`.
template <typename Visit>
void for_each_stretch(const ConvProblem& p, const Extent& tap, int64_t first, int64_t count,
                      Visit visit) {
  int64_t x = first % p.out[2];
  int64_t y = first / p.out[2] % p.out[1];
  int64_t z = first / p.out[2] / p.out[1];
  const int64_t step = p.stride[2];
  for (int64_t at = 0; at < count;) {
    const int64_t length = std::min(p.out[2] - x, count - at);
    const int64_t iz = z * p.stride[0] - p.padding[0] + tap[0] * p.dilation[0];
    const int64_t iy = y * p.stride[1] - p.padding[1] + tap[1] * p.dilation[1];
    const int64_t ix = x * step - p.padding[2] + tap[2] * p.dilation[2];
    Stretch stretch{at, length, 0, 0, 0};
    if (iz >= 0 && iz < p.size[0] && iy >= 0 && iy < p.size[1]) {
      stretch.begin = std::clamp<int64_t>(ceil_div(-ix, step), 0, length);
      stretch.end = std::clamp(ceil_div(p.size[2] - ix, step), stretch.begin, length);
      stretch.source = (iz * p.size[1] + iy) * p.size[2] + ix + stretch.begin * step;
    }
    visit(stretch);
    at += length;
    x = 0;
    if (++y == p.out[1]) {
      y = 0;
      ++z;
    }
  }
}

Extent tap_of(const ConvProblem& p, int64_t row) {
  const int64_t tap = row % product(p.kernel);
  return {tap / p.kernel[2] / p.kernel[1], tap / p.kernel[2] % p.kernel[1], tap % p.kernel[2]};
}

// columns[rows, count] = rows [first_row, first_row + rows) of the windows at points [first, first
// + count) of a group's channels.
template <typename T>
void unroll(const ConvProblem& p, const T* channels, int64_t first_row, int64_t rows, int64_t first,
            int64_t count, T* columns) {
  const int64_t step = p.stride[2];
  for (int64_t row = first_row; row < first_row + rows; ++row, columns += count) {
    const T* channel = channels + row / product(p.kernel) * product(p.size);
    for_each_stretch(p, tap_of(p, row), first, count, [&](const Stretch& s) {
      T* to = columns + s.at;
      const T* from = channel + s.source;
      std::fill(to, to + s.begin, T(0));
      if (step == 1) {
        std::copy_n(from, s.end - s.begin, to + s.begin);
      } else {
        for (int64_t i = s.begin; i < s.end; ++i, from += step) to[i] = *from;
      }
      std::fill(to + s.end, to + s.length, T(0));
    });
  }
}

// The adjoint of unroll: adds columns[rows, count] back to the channels that they were read from.
template <typename T>
void fold(const ConvProblem& p, const T* columns, int64_t first_row, int64_t rows, int64_t first,
          int64_t count, T* channels) {
  const int64_t step = p.stride[2];
  for (int64_t row = first_row; row < first_row + rows; ++row, columns += count) {
    T* channel = channels + row / product(p.kernel) * product(p.size);
    for_each_stretch(p, tap_of(p, row), first, count, [&](const Stretch& s) {
      const T* from = columns + s.at + s.begin;
      T* to = channel + s.source;
      for (int64_t i = 0; i < s.end - s.begin; ++i) to[i * step] += from[i];
    });
  }
}

}  // namespace

template <typename T>
void conv_forward_unrolled(const ConvProblem& p, const T* input, const T* weight, const T* bias,
                           T* output) {
  const int64_t rows = p.rows(), points = p.points(), outs = p.group_out();
  const int64_t tile = tile_points(p), tiles = ceil_div(points, tile);
  // A task is one tile of one group of one image.
  const auto body = [&](int64_t begin, int64_t end) {
    thread_local Scratch<T> scratch;
    T* columns = scratch.reserve(rows * tile);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t first = task % tiles * tile, count = std::min(tile, points - first);
      const int64_t image_group = task / tiles, group = image_group % p.groups;
      const T* channels = input + image_group * p.group_in() * product(p.size);
      T* out = output + image_group * outs * points + first;
      if (bias != nullptr) {
        for (int64_t o = 0; o < outs; ++o) {
          std::fill_n(out + o * points, count, bias[group * outs + o]);
        }
      }
      unroll(p, channels, 0, rows, first, count, columns);
      gemm<T>(false, false, outs, count, rows, T(1), weight + group * outs * rows, rows, columns,
              count, bias != nullptr ? T(1) : T(0), out, points);
    }
  };
  parallel_for(p.batch * p.groups * tiles, grain(rows * tile * outs), body);
}

template <typename T>
void conv_input_grad_unrolled(const ConvProblem& p, const T* grad, const T* weight, T* grad_input) {
  const int64_t rows = p.rows(), points = p.points(), outs = p.group_out(), ins = p.group_in();
  const int64_t taps = product(p.kernel), plane = product(p.size), tile = tile_points(p);
  const int64_t block =
      std::clamp<int64_t>(ceil_div(kRowBlock, taps), 1, std::max<int64_t>(1, ins));
  const int64_t blocks = ceil_div(ins, block);
  // A task is one block of channels of one group of one image: nobody else adds to them.
  const auto body = [&](int64_t begin, int64_t end) {
    thread_local Scratch<T> scratch;
    T* columns = scratch.reserve(block * taps * tile);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t image_group = task / blocks, group = image_group % p.groups;
      const int64_t channel = task % blocks * block, count = std::min(block, ins - channel);
      T* channels = grad_input + (image_group * ins + channel) * plane;
      std::fill_n(channels, count * plane, T(0));
      for (int64_t first = 0; first < points; first += tile) {
        const int64_t width = std::min(tile, points - first);
        gemm<T>(true, false, count * taps, width, outs, T(1),
                weight + group * outs * rows + channel * taps, rows,
                grad + image_group * outs * points + first, points, T(0), columns, width);
        fold(p, columns, 0, count * taps, first, width, channels);
      }
    }
  };
  parallel_for(p.batch * p.groups * blocks, grain(block * taps * points * outs), body);
}

template <typename T>
void conv_weight_grad_unrolled(const ConvProblem& p, const T* grad, const T* input,
                               T* grad_weight) {
  const int64_t rows = p.rows(), points = p.points(), outs = p.group_out();
  const int64_t size = p.out_channels * rows, tile = tile_points(p);
  // A small weight is summed over a few parts of the batch at once, a large one has rows enough to
  // share. How the batch is cut depends on the problem only, and the parts are added in order.
  const int64_t parts = size <= (1 << 16) ? std::clamp<int64_t>(p.batch, 1, 8) : 1;
  const int64_t block = std::clamp<int64_t>(rows, 1, parts > 1 ? 1024 : kRowBlock);
  const int64_t blocks = ceil_div(rows, block);
  std::vector<T> partial(static_cast<size_t>((parts - 1) * size));
  std::fill_n(grad_weight, size, T(0));
  // A task is one block of rows of one group, summed over one part of the batch.
  const auto body = [&](int64_t begin, int64_t end) {
    thread_local Scratch<T> scratch;
    T* columns = scratch.reserve(block * tile);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t part = task / blocks / p.groups, group = task / blocks % p.groups;
      const int64_t row = task % blocks * block, count = std::min(block, rows - row);
      T* sum = (part == 0 ? grad_weight : partial.data() + (part - 1) * size) +
               group * outs * rows + row;
      for (int64_t image = p.batch * part / parts; image < p.batch * (part + 1) / parts; ++image) {
        const int64_t image_group = image * p.groups + group;
        const T* channels = input + image_group * p.group_in() * product(p.size);
        for (int64_t first = 0; first < points; first += tile) {
          const int64_t width = std::min(tile, points - first);
          unroll(p, channels, row, count, first, width, columns);
          gemm<T>(false, true, outs, count, width, T(1), grad + image_group * outs * points + first,
                  points, columns, width, T(1), sum, rows);
        }
      }
    }
  };
  parallel_for(parts * p.groups * blocks, 1, body);
  for (int64_t part = 1; part < parts; ++part) {
    const T* from = partial.data() + (part - 1) * size;
    for (int64_t i = 0; i < size; ++i) grad_weight[i] += from[i];
  }
}

#define MINIDL_INSTANTIATE(T)                                                                   \
  template void conv_forward_unrolled<T>(const ConvProblem&, const T*, const T*, const T*, T*); \
  template void conv_input_grad_unrolled<T>(const ConvProblem&, const T*, const T*, T*);        \
  template void conv_weight_grad_unrolled<T>(const ConvProblem&, const T*, const T*, T*);
MINIDL_INSTANTIATE(float)
MINIDL_INSTANTIATE(double)
#undef MINIDL_INSTANTIATE

}  // namespace minidl::cpu
