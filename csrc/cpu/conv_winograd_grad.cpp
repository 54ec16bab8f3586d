#include "cpu/conv_winograd_grad.h"

#include <algorithm>
#include <atomic>

#include "cpu/conv_band.h"
#include "cpu/conv_kernels.h"
#include "cpu/conv_weights.h"
#include "cpu/conv_winograd.h"
#include "cpu/conv_winograd_kernels.h"
#include "cpu/scratch.h"
#include "cpu/thread_pool.h"

namespace minidl::cpu {
namespace {

constexpr int64_t kPieceTiles = 128;         // about: the rows that pieces share are copied twice
constexpr int64_t kChunkTiles = 256;         // at least, for one reading and writing of the sums
constexpr int64_t kChunkBytes = 4 << 20;     // of transformed values, about
constexpr int64_t kSumsElements = 16 << 20;  // at most, of all positions
constexpr int64_t kFewestChannels = 96;      // below, the transforms cost more than they save

// Rows of tiles [begin, end) of an image, and where its tiles come in the chunk.
struct Piece {
  int64_t image, begin, end, tile;
};

template <typename T>
class WinogradGrad {
 public:
  WinogradGrad(const ConvPass& pass, Image<const T> grad, Image<const T> input)
      : pass_(pass),
        grad_(grad),
        input_(input),
        blocks_{pass.out, kernels_.lanes},
        plan_(plan_winograd_grad(pass, sizeof(T))),
        down_(winograd_tiles(pass.out_size[1])),
        across_(winograd_tiles(pass.out_size[2])),
        image_pieces_(ceil_div(down_, plan_.rows)) {
    const int64_t most = plan_.pieces * plan_.rows * across_;
    value_step_ = most * band_step(pass.in) + kWinogradApart;
    grad_step_ = most * blocks_.padded() + kWinogradApart;
    sum_step_ = pass.in * blocks_.padded() + kWinogradApart;
  }

  bool run(T* grad_weight) {
    thread_local Scratch<T> values, grads, sums;
    values_ = values.reserve(pass_.groups * kWinogradPositions * value_step_);
    grads_ = grads.reserve(pass_.groups * kWinogradPositions * grad_step_);
    sums_ = sums.reserve(pass_.groups * kWinogradPositions * sum_step_);
    const int64_t pieces = pass_.batch * image_pieces_;
    for (int64_t first = 0; first < pieces; first += plan_.pieces) {
      add_chunk(first, std::min(pieces, first + plan_.pieces));
    }
    return finish(grad_weight);
  }

 private:
  static constexpr int64_t kWidest = 32;    // channels of a block, of any level
  static constexpr int64_t kTogether = 16;  // channels whose weights are transposed at once

  // Piece `index` of all in a chunk that begins with piece `first`.
  Piece piece_at(int64_t index, int64_t first) const {
    const auto row_of = [&](int64_t i) {
      return i / image_pieces_ * down_ + i % image_pieces_ * plan_.rows;
    };
    const int64_t begin = index % image_pieces_ * plan_.rows;
    return {index / image_pieces_, begin, std::min(down_, begin + plan_.rows),
            (row_of(index) - row_of(first)) * across_};
  }

  void add_chunk(int64_t first, int64_t last) const {
    const int64_t count = last - first;
    parallel_for(pass_.groups * count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const Piece piece = piece_at(first + i % count, first);
        transform_input(i / count, piece);
        transform_grad(i / count, piece);
      }
    });
    const Piece end_piece = piece_at(last - 1, first);
    const int64_t tiles = end_piece.tile + (end_piece.end - end_piece.begin) * across_;
    const int64_t blocks = blocks_.count();
    parallel_for(pass_.groups * kWinogradPositions * blocks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) multiply(i / blocks, i % blocks, tiles, first == 0);
    });
  }

  // values[position][tile][channel]
  void transform_input(int64_t group, const Piece& piece) const {
    thread_local Scratch<T> memory;
    const ConvAxis &ys = pass_.axes[1][0], &xs = pass_.axes[2][0];
    const BandPiece part{pass_.in,
                         pass_.in_size,
                         0,
                         1,
                         1,
                         {ys.first + 2 * piece.begin, ys.first + 2 * piece.end + 2},
                         {xs.first, xs.first + 2 * across_ + 2}};
    const T* from =
        input_.data + piece.image * input_.layout.batch + group * pass_.in * input_.layout.channel;
    const Band<T> band =
        make_band(kernels_, part, from, input_.layout, memory.reserve(part.elements()));
    const int64_t step = band_step(pass_.in);
    T* to = values_ + group * kWinogradPositions * value_step_ + piece.tile * step;
    for (int64_t row = 0; row < piece.end - piece.begin; ++row, to += across_ * step) {
      transforms_.inputs({across_, pass_.in, band.row, band.column, step, value_step_},
                         band.origin + 2 * row * band.row, to);
    }
  }

  // grads[position][block][tile][channel of the block], zeros beyond the channels that exist
  void transform_grad(int64_t group, const Piece& piece) const {
    thread_local Scratch<T> memory;
    const BandPiece part{pass_.out,       pass_.out_size, 0, 1, 1, {2 * piece.begin, 2 * piece.end},
                         {0, 2 * across_}};
    const T* from =
        grad_.data + piece.image * grad_.layout.batch + group * pass_.out * grad_.layout.channel;
    const Band<T> band =
        make_band(kernels_, part, from, grad_.layout, memory.reserve(part.elements()));
    for (int64_t block = 0; block < blocks_.count(); ++block) {
      const int64_t width = blocks_.width(block);
      T* to = block_of_grads(group, 0, block) + piece.tile * width;
      for (int64_t row = 0; row < piece.end - piece.begin; ++row, to += across_ * width) {
        transforms_.grads({across_, blocks_.valid(block), band.row, band.column, width, grad_step_},
                          band.origin + 2 * row * band.row + blocks_.begin(block), to);
      }
    }
  }

  T* block_of_grads(int64_t group, int64_t position, int64_t block) const {
    return grads_ + (group * kWinogradPositions + position) * grad_step_ +
           blocks_.begin(block) * plan_.pieces * plan_.rows * across_;
  }

  // sums[position][block][channel in][channel of the block] += values^T grads
  void multiply(int64_t at, int64_t block, int64_t tiles, bool first) const {
    const int64_t width = blocks_.width(block);
    ConvWeightTiles<T> job{};
    job.images = 1;
    job.rows = 1;
    job.columns = tiles;
    job.input_column = band_step(pass_.in);
    job.grad_column = width;
    job.length = pass_.in;
    job.input = values_ + at * value_step_;
    job.grad = block_of_grads(at / kWinogradPositions, at % kWinogradPositions, block);
    job.sums = sums_ + at * sum_step_ + blocks_.begin(block) * pass_.in;
    if (first) std::fill_n(job.sums, pass_.in * width, T(0));
    kernels_.weight_tiles(job, width > blocks_.lanes);
  }

  // Weights from the sums.
  bool finish(T* grad_weight) const {
    std::atomic<bool> finite{true};
    const int64_t blocks = blocks_.count();
    parallel_for(pass_.groups * blocks, 1, [&](int64_t begin, int64_t end) {
      T rows[kTogether * 9 * kWidest];
      for (int64_t i = begin; i < end; ++i) {
        const int64_t group = i / blocks, block = i % blocks, width = blocks_.width(block);
        const T* from =
            sums_ + group * kWinogradPositions * sum_step_ + blocks_.begin(block) * pass_.in;
        T* to = grad_weight + group * pass_.weight_group + blocks_.begin(block) * pass_.weight_out;
        for (int64_t c = 0; c < pass_.in; c += kTogether) {
          const int64_t count = std::min(kTogether, pass_.in - c);
          for (int64_t at = 0; at < count; ++at, from += width) {
            if (!transforms_.weight_grads(width, from, sum_step_, rows + at * 9 * width)) {
              finite = false;
            }
          }
          kernels_.transpose(9 * count, blocks_.valid(block), rows, width, to + 9 * c,
                             pass_.weight_out);
        }
      }
    });
    return finite;
  }

  const ConvKernels<T>& kernels_ = conv_kernels<T>();
  const WinogradKernels<T>& transforms_ = winograd_kernels<T>();
  const ConvPass& pass_;
  Image<const T> grad_, input_;
  ChannelBlocks blocks_;
  WinogradGradPlan plan_;
  int64_t down_, across_;  // tiles of an image
  int64_t image_pieces_;
  int64_t value_step_, grad_step_, sum_step_;  // from position to position
  T *values_ = nullptr, *grads_ = nullptr, *sums_ = nullptr;
};

}  // namespace

bool winograd_grad_fits(const ConvPass& pass) {
  const int64_t tiles = winograd_tiles(pass.out_size[1]) * winograd_tiles(pass.out_size[2]);
  return winograd_fits(pass) && std::min(pass.in, pass.out) >= kFewestChannels &&
         pass.batch * tiles >= kChunkTiles / 2 &&
         pass.groups * kWinogradPositions * pass.in * pass.out <= kSumsElements;
}

WinogradGradPlan plan_winograd_grad(const ConvPass& pass, int64_t element_bytes) {
  const int64_t across = winograd_tiles(pass.out_size[2]), down = winograd_tiles(pass.out_size[1]);
  const int64_t most = std::clamp<int64_t>(kPieceTiles / across, 1, down);
  const int64_t rows = ceil_div(down, ceil_div(down, most)), tiles = rows * across;
  const int64_t fitting =
      kChunkBytes / (kWinogradPositions * (pass.in + pass.out) * pass.groups * element_bytes);
  const int64_t pieces = ceil_div(std::max(kChunkTiles, fitting), tiles);
  return {rows, std::min(pieces, pass.batch * ceil_div(down, rows))};
}

template <typename T>
bool conv_winograd_weight_grad(const ConvPass& pass, Image<const T> grad, Image<const T> input,
                               T* grad_weight) {
  return WinogradGrad<T>(pass, grad, input).run(grad_weight);
}

template bool conv_winograd_weight_grad<float>(const ConvPass&, Image<const float>,
                                               Image<const float>, float*);
template bool conv_winograd_weight_grad<double>(const ConvPass&, Image<const double>,
                                                Image<const double>, double*);

}  // namespace minidl::cpu
