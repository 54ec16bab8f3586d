#include "cpu/conv_winograd.h"

#include <algorithm>
#include <atomic>

#include "cpu/conv_band.h"
#include "cpu/conv_kernels.h"
#include "cpu/conv_winograd_kernels.h"
#include "cpu/gemm.h"
#include "cpu/scratch.h"
#include "cpu/thread_pool.h"

namespace minidl::cpu {
namespace {

constexpr int64_t kTiles = 64;               // that share the reading of a weight, at least
constexpr int64_t kTransformed = 256 << 10;  // bytes of a task's transformed input, about
constexpr int64_t kHeavy = 4 << 20;          // bytes of weights that no second cache holds
constexpr int64_t kFewestChannels = 32;

// Images [first, last) of one group, rows of tiles [begin, end).
struct Task {
  int64_t group, first, last, begin, end;
};

template <typename T>
class Winograd {
 public:
  Winograd(const ConvPass& pass, Image<const T> input, const T* bias, Image<T> output)
      : pass_(pass),
        input_(input),
        bias_(bias),
        output_(output),
        block_(gemm_.tile_cols),
        padded_(ceil_div(pass.out, block_) * block_),
        across_(winograd_tiles(pass.out_size[2])) {}

  // weights_[group][position] as cpu/gemm.h packs the matrix [channel in][channel out]
  void pack(const T* weight) {
    thread_local Scratch<T> scratch;
    const int64_t position = weight_step(), blocks = padded_ / block_;
    T* const packed = scratch.reserve(pass_.groups * kWinogradPositions * position);
    weights_ = packed;
    const bool reversed = pass_.axes[2][0].kernel_step < 0;
    // Windows that follow each other are read a few at a time, whole lines of the cache.
    const int64_t together = pass_.weight_in == 9 && !reversed ? kTogether : 1;
    parallel_for(pass_.groups * blocks, 1, [&](int64_t begin, int64_t end) {
      T rows[kTogether * 9 * kWidest];
      for (int64_t i = begin; i < end; ++i) {
        const int64_t group = i / blocks, first = i % blocks * block_, width = block_;
        const int64_t valid = std::min(block_, pass_.out - first);
        const T* from = weight + group * pass_.weight_group + first * pass_.weight_out;
        T* const to = packed + group * kWinogradPositions * position;
        std::fill_n(rows, together * 9 * width, T(0));
        for (int64_t c = 0; c < pass_.in; c += together, from += together * pass_.weight_in) {
          const int64_t count = std::min(together, pass_.in - c);
          kernels_.transpose(valid, 9 * count, from, pass_.weight_out,
                             reversed ? rows + 8 * width : rows, reversed ? -width : width);
          for (int64_t at = 0; at < count; ++at) {
            transforms_.weights(width, rows + at * 9 * width,
                                to + gemm_.packed_place(pass_.in, padded_, c + at, first),
                                position);
          }
        }
      }
    });
  }

  bool run(const Task& task) const {
    thread_local Scratch<T> inputs, products;
    const int64_t step = band_step(pass_.in), padded = padded_;
    const int64_t band = (task.end - task.begin) * across_, tiles = (task.last - task.first) * band;
    const int64_t value_step = tiles * step + kWinogradApart,
                  sum_step = tiles * padded + kWinogradApart;
    T* const values = inputs.reserve(kWinogradPositions * value_step);
    T* const sums = products.reserve(kWinogradPositions * sum_step);
    for (int64_t image = task.first; image < task.last; ++image) {
      transform(task, image, value_step, values + (image - task.first) * band * step);
    }
    const T* weights = weights_ + task.group * kWinogradPositions * weight_step();
    for (int64_t position = 0; position < kWinogradPositions; ++position) {
      gemm_.multiply_packed({tiles, padded, pass_.in}, {values + position * value_step, step, 1},
                            weights + position * weight_step(),
                            {sums + position * sum_step, padded});
    }
    bool finite = true;
    for (int64_t image = task.first; image < task.last; ++image) {
      finite &= finish(task, image, sum_step, sums + (image - task.first) * band * padded);
    }
    return finite;
  }

 private:
  static constexpr int64_t kWidest = 32;  // channels of a block, of any level
  static constexpr int64_t kTogether = 16;

  // From position to position of the weight.
  int64_t weight_step() const { return gemm_.packed_size(pass_.in, padded_) + kWinogradApart; }

  // values[position][tile][channel] of one image's band.
  void transform(const Task& task, int64_t image, int64_t position_step, T* values) const {
    thread_local Scratch<T> memory;
    const ConvAxis &ys = pass_.axes[1][0], &xs = pass_.axes[2][0];
    const BandPiece piece{pass_.in,
                          pass_.in_size,
                          0,
                          1,
                          1,
                          {ys.first + 2 * task.begin, ys.first + 2 * task.end + 2},
                          {xs.first, xs.first + 2 * across_ + 2}};
    const T* from =
        input_.data + image * input_.layout.batch + task.group * pass_.in * input_.layout.channel;
    const Band<T> band =
        make_band(kernels_, piece, from, input_.layout, memory.reserve(piece.elements()));
    const int64_t step = band_step(pass_.in);
    for (int64_t row = 0; row < task.end - task.begin; ++row) {
      transforms_.inputs({across_, pass_.in, band.row, band.column, step, position_step},
                         band.origin + 2 * row * band.row, values + row * across_ * step);
    }
  }

  // The outputs of one image's band from the sums [position][tile][channel].
  bool finish(const Task& task, int64_t image, int64_t position_step, const T* sums) const {
    thread_local Scratch<T> staging;
    const int64_t top = 2 * task.begin, bottom = std::min(pass_.out_size[1], 2 * task.end);
    const int64_t points = (bottom - top) * pass_.out_size[2], padded = padded_;
    const bool staged = output_.layout.channel != 1;
    T* const stage = staged ? staging.reserve(points * kernels_.block) : nullptr;
    T* const out = output_.data + image * output_.layout.batch +
                   task.group * pass_.out * output_.layout.channel + top * output_.layout.point[1];
    bool finite = true;
    for (int64_t first = 0; first < pass_.out; first += block_) {
      const int64_t valid = std::min(block_, pass_.out - first);
      T* const place = out + first * output_.layout.channel;
      const int64_t column = staged ? valid : output_.layout.point[2];
      const int64_t row = staged ? valid * pass_.out_size[2] : output_.layout.point[1];
      for (int64_t y = 0; y < bottom - top; y += 2) {
        finite &=
            transforms_.outputs({across_, valid, row, column, padded, position_step},
                                sums + y / 2 * across_ * padded + first,
                                bias_ == nullptr ? nullptr : bias_ + task.group * pass_.out + first,
                                std::min<int64_t>(2, bottom - top - y), pass_.out_size[2],
                                (staged ? stage : place) + y * row);
      }
      if (staged) {
        kernels_.transpose(points, valid, stage, valid, place, output_.layout.channel);
      }
    }
    return finite;
  }

  const ConvKernels<T>& kernels_ = conv_kernels<T>();
  const GemmKernels<T>& gemm_ = gemm_kernels<T>();
  const WinogradKernels<T>& transforms_ = winograd_kernels<T>();
  const ConvPass& pass_;
  Image<const T> input_;
  const T* bias_;
  Image<T> output_;
  const T* weights_ = nullptr;
  int64_t block_, padded_;  // channels of a block, and of all blocks
  int64_t across_;          // tiles of a row
};

}  // namespace

bool winograd_fits(const ConvPass& pass) {
  if (pass.kernel != Extent{1, 3, 3} || !pass.is_flat()) return false;
  for (int d = 1; d < 3; ++d) {
    const ConvAxis& axis = pass.axes[d][0];
    if (pass.axes[d].size() != 1 || axis.stride != 1 || axis.dilation != 1) return false;
  }
  if (pass.in < kFewestChannels || pass.out < kFewestChannels) return false;
  const int64_t tiles = winograd_tiles(pass.out_size[1]) * winograd_tiles(pass.out_size[2]);
  // Half-used tiles at the edges eat the gain; the weight's transform wants many tiles.
  return 3 * pass.out_size[1] * pass.out_size[2] >= 2 * 4 * tiles && pass.batch * tiles >= kTiles;
}

WinogradPlan plan_winograd(const ConvPass& pass, int64_t element_bytes) {
  const int64_t across = winograd_tiles(pass.out_size[2]), all = winograd_tiles(pass.out_size[1]);
  const int64_t fitting = kTransformed / (kWinogradPositions * pass.in * element_bytes);
  const int64_t rows = std::clamp<int64_t>(std::max(kTiles, fitting) / across, 1, all);
  const int64_t bands = ceil_div(all, rows);
  const int64_t images =
      bands > 1 ? 1 : std::clamp<int64_t>(kTiles / (all * across), 1, pass.batch);
  return {ceil_div(all, bands), images};
}

template <typename T>
bool conv_winograd(const ConvPass& pass, Image<const T> input, const T* weight, const T* bias,
                   Image<T> output) {
  const WinogradPlan plan = plan_winograd(pass, sizeof(T));
  const int64_t all = winograd_tiles(pass.out_size[1]), bands = ceil_div(all, plan.rows);
  // Weights that come from memory are read by half as many tasks where no thread is left without.
  const bool heavy =
      kWinogradPositions * pass.in * pass.out * static_cast<int64_t>(sizeof(T)) > kHeavy;
  const int64_t most = std::max(plan.images, ceil_div(pass.batch, get_num_threads()));
  const int64_t images = heavy && bands == 1 ? std::min(2 * plan.images, most) : plan.images;
  const int64_t batches = ceil_div(pass.batch, images);
  Winograd<T> winograd(pass, input, bias, output);
  winograd.pack(weight);
  std::atomic<bool> finite{true};
  parallel_for(batches * pass.groups * bands, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t band = i % bands, group = i / bands % pass.groups;
      const int64_t first = i / bands / pass.groups * images;
      if (!winograd.run({group, first, std::min(pass.batch, first + images), band * plan.rows,
                         std::min(all, (band + 1) * plan.rows)})) {
        finite = false;
      }
    }
  });
  return finite;
}

template bool conv_winograd<float>(const ConvPass&, Image<const float>, const float*, const float*,
                                   Image<float>);
template bool conv_winograd<double>(const ConvPass&, Image<const double>, const double*,
                                    const double*, Image<double>);

}  // namespace minidl::cpu
