#include "cpu/conv_weight_grad.h"

#include <algorithm>

#include "cpu/conv_band.h"
#include "cpu/conv_direct.h"
#include "cpu/conv_kernels.h"
#include "cpu/conv_weights.h"
#include "cpu/scratch.h"
#include "cpu/thread_pool.h"

namespace minidl::cpu {
namespace {

constexpr int64_t kBandBytes = 192 << 10;  // of the input and of the gradient
constexpr int64_t kPartBytes = 512 << 10;  // largest weight that is summed in several parts
constexpr int64_t kAllParts = 2 << 20;     // bytes of all of them
constexpr int64_t kChunkBytes = 8 << 20;   // of images that are channels-last at once
constexpr int64_t kStretch = 112;          // weights of a run that one task takes, times the block
constexpr int64_t kPoints = 224;           // that are summed in registers, about

// Output rows [begin, end) of output plane z of one group of one image.
struct Piece {
  int64_t image, group, z, begin, end;
};

// A grid of points of input and gradient, both channels-last.
template <typename T>
struct Grid {
  int64_t rows;
  Band<T> input;  // from the first tap of the first point
  const T* grad;  // [point][grad_column]
  int64_t grad_column;
};

template <typename T>
class WeightGrad {
 public:
  WeightGrad(const ConvPass& pass, Image<const T> grad, Image<const T> input)
      : pass_(pass), grad_(grad), input_(input), blocks_{pass.out, kernels_.lanes} {
    // As in the forward pass: taps side by side are one run where the points of the band are.
    run_ = (axis(2).dilation == 1 || axis(2).taps == 1) && band_step(pass.in) == pass.in;
    length_ = run_ ? axis(2).taps * pass.in : pass.in;
    segments_ = axis(0).taps * axis(1).taps * (run_ ? 1 : axis(2).taps);
    in_place_ = length_ % 2 == 0 && (!run_ || input.layout.point[2] == pass.in);
  }

  const ChannelBlocks& blocks() const { return blocks_; }
  int64_t segments() const { return segments_; }
  int64_t length() const { return length_; }
  int64_t size() const { return segments_ * length_ * blocks_.padded(); }  // of a group's sums

  BandPiece band_piece(const Piece& piece) const {
    return {pass_.in,
            pass_.in_size,
            axis(0).first + piece.z * axis(0).stride,
            axis(0).dilation,
            axis(0).taps,
            pass_.reads(1, piece.begin, piece.end),
            pass_.reads(2, 0, pass_.out_size[2])};
  }
  int64_t input_elements(const Piece& piece) const { return band_piece(piece).elements() + 1; }
  int64_t grad_elements(const Piece& piece) const {
    return (piece.end - piece.begin) * pass_.out_size[2] * blocks_.padded();
  }

  // Both arrays of a piece; in place where they can be unless `copy`.
  Grid<T> prepare(const Piece& piece, bool copy, T* input_memory, T* grad_memory) const {
    const BandPiece band = band_piece(piece);
    const T* image = input_.data + piece.image * input_.layout.batch +
                     piece.group * pass_.in * input_.layout.channel;
    const T* grad = grad_.data + piece.image * grad_.layout.batch +
                    piece.group * pass_.out * grad_.layout.channel +
                    piece.z * grad_.layout.point[0] + piece.begin * grad_.layout.point[1];
    Grid<T> grid{piece.end - piece.begin, {}, grad, grad_.layout.point[2]};
    grid.input = !copy && in_place_ ? make_band(kernels_, band, image, input_.layout, input_memory)
                                    : copy_band(kernels_, band, image, input_.layout, input_memory);
    const bool dense = grad_.layout.point[1] == pass_.out_size[2] * grad_.layout.point[2];
    if (!copy && dense && grad_.layout.channel == 1 && pass_.out % kernels_.lanes == 0) return grid;
    grid.grad = grad_memory;
    grid.grad_column = blocks_.padded();
    copy_grad(grad, grid.rows, dense, grad_memory);
    return grid;
  }

  // What prepare() with `copy` gave for these arguments.
  Grid<T> copied(const Piece& piece, const T* input_memory, const T* grad_memory) const {
    return {piece.end - piece.begin, layout_of(band_piece(piece), input_memory), grad_memory,
            blocks_.padded()};
  }

  void clear(int64_t segment, int64_t first, int64_t count, T* sums) const {
    for (int64_t block = 0; block < blocks_.count(); ++block) {
      const int64_t width = blocks_.width(block);
      std::fill_n(
          sums + blocks_.begin(block) * segments_ * length_ + (segment * length_ + first) * width,
          count * width, T(0));
    }
  }

  // Adds the gradient of weights [first, first + count) of every run of segment `segment` to `sums`
  // [block][segment][length][channel]; `images` grids follow each other at the given steps.
  void add(const Grid<T>& grid, int64_t images, int64_t input_image, int64_t grad_image,
           int64_t segment, int64_t block, int64_t first, int64_t count, T* sums) const {
    const int64_t across = run_ ? 1 : axis(2).taps;
    const int64_t k = segment % across, j = segment / across % axis(1).taps;
    const int64_t i = segment / across / axis(1).taps, width = blocks_.width(block);
    ConvWeightTiles<T> job{};
    job.images = images;
    job.columns = pass_.out_size[2];
    job.input_image = input_image;
    job.input_row = axis(1).stride * grid.input.row;
    job.input_column = axis(2).stride * grid.input.column;
    job.grad_image = grad_image;
    job.grad_row = pass_.out_size[2] * grid.grad_column;
    job.grad_column = grid.grad_column;
    job.length = count;
    job.input = grid.input.origin + i * grid.input.plane + j * axis(1).dilation * grid.input.row +
                k * axis(2).dilation * grid.input.column + first;
    job.grad = grid.grad + blocks_.begin(block);
    job.sums =
        sums + blocks_.begin(block) * segments_ * length_ + (segment * length_ + first) * width;
    const int64_t step = std::max<int64_t>(1, kPoints / (pass_.out_size[2] * images));
    for (int64_t row = 0; row < grid.rows; row += step) {
      job.rows = std::min(step, grid.rows - row);
      kernels_.weight_tiles(job, width > blocks_.lanes);
      job.input += step * job.input_row;
      job.grad += step * job.grad_row;
    }
  }

  // grad_weight [out, in, *kernel] of a group from its sums, channels [begin, end) of one block.
  void finish(int64_t block, const T* sums, T* grad_weight) const {
    const int64_t taps = pass_.taps(), width = blocks_.width(block), first = blocks_.begin(block);
    const T* from = sums + first * taps * pass_.in;
    T* to = grad_weight + first * pass_.weight_out;
    if (taps == 1) {
      kernels_.transpose(pass_.in, blocks_.valid(block), from, width, to, pass_.weight_out);
      return;
    }
    for (int64_t c = 0; c < pass_.in; ++c) {
      kernels_.transpose(taps, blocks_.valid(block), from + c * width, pass_.in * width,
                         to + c * taps, pass_.weight_out);
    }
  }

 private:
  const ConvAxis& axis(int d) const { return pass_.axes[d][0]; }

  void copy_grad(const T* grad, int64_t rows, bool dense, T* to) const {
    const int64_t columns = pass_.out_size[2], padded = blocks_.padded();
    if (padded != pass_.out) std::fill_n(to, rows * columns * padded, T(0));
    const int64_t height = dense ? 1 : rows, width = dense ? rows * columns : columns;
    for (int64_t y = 0; y < height; ++y) {
      copy_points(kernels_, width, pass_.out, grad + y * grad_.layout.point[1], grad_.layout,
                  to + y * width * padded, padded);
    }
  }

  const ConvKernels<T>& kernels_ = conv_kernels<T>();
  const ConvPass& pass_;
  Image<const T> grad_, input_;
  ChannelBlocks blocks_;
  bool run_, in_place_;
  int64_t length_, segments_;
};

// Sums [part][group] over parts of the batch; the first holds the total in the end.
template <typename T>
void sum_parts(const ConvPass& pass, const WeightGrad<T>& work, const ConvWeightGradPlan& plan,
               T* sums) {
  const int64_t bands = ceil_div(pass.out_size[1], plan.rows), size = work.size();
  const int64_t pieces = pass.batch * pass.out_size[0] * bands;
  parallel_for(plan.parts * pass.groups, 1, [&](int64_t begin, int64_t end) {
    thread_local Scratch<T> inputs, grads;
    for (int64_t task = begin; task < end; ++task) {
      const int64_t part = task / pass.groups, group = task % pass.groups;
      T* const sum = sums + task * size;
      std::fill_n(sum, size, T(0));
      for (int64_t i = pieces * part / plan.parts; i < pieces * (part + 1) / plan.parts; ++i) {
        const int64_t band = i % bands, z = i / bands % pass.out_size[0];
        const Piece piece{i / bands / pass.out_size[0], group, z, band * plan.rows,
                          std::min(pass.out_size[1], (band + 1) * plan.rows)};
        const Grid<T> grid = work.prepare(piece, false, inputs.reserve(work.input_elements(piece)),
                                          grads.reserve(work.grad_elements(piece)));
        for (int64_t block = 0; block < work.blocks().count(); ++block) {
          for (int64_t segment = 0; segment < work.segments(); ++segment) {
            work.add(grid, 1, 0, 0, segment, block, 0, work.length(), sum);
          }
        }
      }
    }
  });
  const int64_t total = pass.groups * size;
  parallel_for(total, 1 << 14, [&](int64_t begin, int64_t end) {
    for (int64_t part = 1; part < plan.parts; ++part) {
      const T* from = sums + part * total;
      for (int64_t i = begin; i < end; ++i) sums[i] += from[i];
    }
  });
}

// Sums [group] over the whole batch, a few images at a time: all tasks share their copies.
template <typename T>
void sum_stretches(const ConvPass& pass, const WeightGrad<T>& work, T* sums) {
  thread_local Scratch<T> inputs, grads;
  const Piece whole{0, 0, 0, 0, pass.out_size[1]};
  const int64_t input_size = work.input_elements(whole) + 63, grad_size = work.grad_elements(whole);
  const int64_t planes = pass.out_size[0], pieces = pass.batch * planes;
  const int64_t bytes = (input_size + grad_size) * pass.groups * static_cast<int64_t>(sizeof(T));
  const int64_t chunk = std::clamp<int64_t>(kChunkBytes / bytes, 1, pieces);
  T* const input = inputs.reserve(chunk * pass.groups * input_size);
  T* const grad = grads.reserve(chunk * pass.groups * grad_size);
  const int64_t stretches = ceil_div(work.length(), kStretch), blocks = work.blocks().count();
  const int64_t points = pass.out_size[1] * pass.out_size[2];
  const int64_t together = std::clamp<int64_t>(kPoints / points, 1, chunk);
  for (int64_t start = 0; start < pieces; start += chunk) {
    const int64_t count = std::min(chunk, pieces - start);
    const auto grid_at = [&](int64_t group, int64_t i, bool fill) {
      const int64_t at = group * chunk + i;
      T *const x = input + at * input_size, *const g = grad + at * grad_size;
      const Piece piece{(start + i) / planes, group, (start + i) % planes, 0, pass.out_size[1]};
      return fill ? work.prepare(piece, true, x, g) : work.copied(piece, x, g);
    };
    parallel_for(count * pass.groups, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) grid_at(i / count, i % count, true);
    });
    parallel_for(pass.groups * work.segments() * stretches, 1, [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        const int64_t group = task / stretches / work.segments();
        const int64_t segment = task / stretches % work.segments();
        const int64_t first = task % stretches * kStretch;
        const int64_t length = std::min(kStretch, work.length() - first);
        T* const sum = sums + group * work.size();
        if (start == 0) work.clear(segment, first, length, sum);
        for (int64_t i = 0; i < count; i += together) {
          for (int64_t block = 0; block < blocks; ++block) {
            work.add(grid_at(group, i, false), std::min(together, count - i), input_size, grad_size,
                     segment, block, first, length, sum);
          }
        }
      }
    });
  }
}

}  // namespace

ConvWeightGradPlan plan_weight_grad(const ConvPass& pass, int64_t weights, int64_t element_bytes) {
  const int64_t all = pass.out_size[1];
  int64_t rows = all;
  const auto bytes = [&](int64_t count) {
    return std::max(band_elements(pass, count), count * pass.out_size[2] * pass.out) *
           element_bytes;
  };
  while (rows > 1 && bytes(rows) > kBandBytes) rows = (rows + 1) / 2;
  const int64_t bands = ceil_div(all, rows), size = weights * element_bytes;
  rows = ceil_div(all, bands);
  const int64_t pieces = pass.batch * pass.out_size[0] * bands;
  if (size > kPartBytes || pieces < 2) return {1, all};
  return {std::clamp<int64_t>(kAllParts / size, 1, std::min<int64_t>(16, pieces)), rows};
}

template <typename T>
void conv_weight_grad_direct(const ConvPass& pass, Image<const T> grad, Image<const T> input,
                             T* grad_weight) {
  thread_local Scratch<T> scratch;
  const WeightGrad<T> work(pass, grad, input);
  const ConvWeightGradPlan plan = plan_weight_grad(pass, work.size(), sizeof(T));
  T* const sums = scratch.reserve(plan.parts * pass.groups * work.size());
  plan.parts > 1 ? sum_parts(pass, work, plan, sums) : sum_stretches(pass, work, sums);
  const int64_t blocks = work.blocks().count();
  parallel_for(pass.groups * blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t group = i / blocks;
      work.finish(i % blocks, sums + group * work.size(), grad_weight + group * pass.weight_group);
    }
  });
}

template void conv_weight_grad_direct<float>(const ConvPass&, Image<const float>,
                                             Image<const float>, float*);
template void conv_weight_grad_direct<double>(const ConvPass&, Image<const double>,
                                              Image<const double>, double*);

}  // namespace minidl::cpu
