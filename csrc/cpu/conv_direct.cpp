#include "cpu/conv_direct.h"

#include <algorithm>

#include "cpu/conv_band.h"
#include "cpu/conv_kernels.h"
#include "cpu/conv_weights.h"
#include "cpu/scratch.h"
#include "cpu/thread_pool.h"

namespace minidl::cpu {
namespace {

// A band stays in the second cache level beside a block's weights.
constexpr int64_t kBandBytes = 320 << 10;
constexpr int64_t kStageBytes = 32 << 10;
// So many tasks that a few threads finish together.
constexpr int64_t kTasks = 8;

// The largest number of planes that one output needs.
int64_t planes_of(const ConvPass& pass) {
  int64_t planes = 0;
  for (const ConvAxis& axis : pass.axes[0]) planes = std::max(planes, axis.taps);
  return planes;
}

// One task: output rows [begin, end) of output plane `z` of one group of one image, channel blocks
// [first, last).
struct Task {
  int64_t image, group, z, begin, end, first, last;
};

template <typename T>
class Direct {
 public:
  Direct(const ConvPass& pass, const PackedWeights<T>& weights, Image<const T> input, const T* bias,
         Image<T> output)
      : pass_(pass), weights_(weights), input_(input), bias_(bias), output_(output) {}

  void run(const Task& task) const {
    const ConvAxis* depth = nullptr;
    int64_t index = 0;
    for (const ConvAxis& axis : pass_.axes[0]) {
      if (task.z % axis.step == axis.place) {
        depth = &axis;
        index = task.z / axis.step;
      }
    }
    const BandPiece piece{pass_.in,
                          pass_.in_size,
                          depth->first + index * depth->stride,
                          depth->dilation,
                          depth->taps,
                          pass_.reads(1, task.begin, task.end),
                          pass_.reads(2, 0, pass_.out_size[2])};
    thread_local Scratch<T> memory;
    const T* image = input_.data + task.image * input_.layout.batch +
                     task.group * pass_.in * input_.layout.channel;
    const Band<T> band =
        make_band(kernels_, piece, image, input_.layout, memory.reserve(piece.elements()));
    for (int64_t block = task.first; block < task.last; ++block) {
      // Through the stage a few rows at a time: it stays in the first cache level.
      const int64_t bytes =
          pass_.out_size[2] * weights_.blocks.width(block) * static_cast<int64_t>(sizeof(T));
      const int64_t step = staged() ? std::max<int64_t>(1, kStageBytes / bytes) : task.end;
      Task part = task;
      for (part.begin = task.begin; part.begin < task.end; part.begin += step) {
        part.end = std::min(task.end, part.begin + step);
        run_block(part, *depth, band, piece, block);
      }
    }
  }

 private:
  // Kernels write channels-last: for other outputs into a stage first.
  bool staged() const { return output_.layout.channel != 1; }

  void run_block(const Task& task, const ConvAxis& depth, const Band<T>& band,
                 const BandPiece& piece, int64_t block) const {
    thread_local Scratch<T> staging;
    const int64_t points = (task.end - task.begin) * pass_.out_size[2];
    T* const stage = staged() ? staging.reserve(points * kernels_.block) : nullptr;
    T* out = output_.data + task.image * output_.layout.batch +
             (task.group * pass_.out + weights_.blocks.begin(block)) * output_.layout.channel +
             task.z * output_.layout.point[0] + task.begin * output_.layout.point[1];
    const int64_t column = staged() ? weights_.blocks.width(block) : output_.layout.point[2];
    for (const PhaseWeights& phase : weights_.phases) {
      if (phase.axes[0] != &depth) continue;
      run_phase(task, phase, band, piece, block, staged() ? stage : out, column);
    }
    if (staged()) {
      kernels_.transpose(points, weights_.blocks.valid(block), stage, column, out,
                         output_.layout.channel);
    }
  }

  // `out` is the place of column 0 of row task.begin, whole rows follow each other.
  void run_phase(const Task& task, const PhaseWeights& phase, const Band<T>& band,
                 const BandPiece& piece, int64_t block, T* out, int64_t column) const {
    const ConvAxis &ys = *phase.axes[1], &xs = *phase.axes[2];
    const int64_t low = ys.before(task.begin), high = ys.before(task.end);
    if (low >= high || xs.count == 0) return;
    // Taps side by side are one run where the points of the band are.
    const bool run = band.column == pass_.in && (xs.dilation == 1 || xs.taps == 1);
    const int64_t across = run ? 1 : xs.taps;
    thread_local Scratch<int64_t> scratch;
    int64_t* const offsets = scratch.reserve(phase.taps + 1);
    int64_t segments = 0;
    for (int64_t i = 0; i < (phase.taps == 0 ? 0 : phase.axes[0]->taps); ++i) {
      for (int64_t j = 0; j < ys.taps; ++j) {
        for (int64_t k = 0; k < across; ++k) {
          offsets[segments++] =
              i * band.plane + j * ys.dilation * band.row + k * xs.dilation * band.column;
        }
      }
    }
    const int64_t row = column * pass_.out_size[2];
    ConvTiles<T> job{};
    job.rows = high - low;
    job.columns = xs.count;
    job.input_row = ys.stride * band.row;
    job.input_column = xs.stride * band.column;
    job.output_row = ys.step * row;
    job.output_column = xs.step * column;
    job.segments = segments;
    job.length = run ? xs.taps * pass_.in : pass_.in;
    job.offsets = offsets;
    job.weight = weights_.at(phase, task.group, block, pass_.in);
    job.bias = bias_ == nullptr
                   ? nullptr
                   : bias_ + task.group * weights_.blocks.padded() + weights_.blocks.begin(block);
    job.channels = weights_.blocks.valid(block);
    job.input = band.origin;
    if (segments > 0) {
      job.input += (ys.first + low * ys.stride - piece.rows.begin) * band.row +
                   (xs.first - piece.columns.begin) * band.column;
    }
    job.output = out + (ys.place + low * ys.step - task.begin) * row + xs.place * column;
    kernels_.tiles(job, weights_.blocks.width(block) > weights_.blocks.lanes);
  }

  const ConvKernels<T>& kernels_ = conv_kernels<T>();
  const ConvPass& pass_;
  const PackedWeights<T>& weights_;
  Image<const T> input_;
  const T* bias_;  // [group][weights.blocks.padded()]
  Image<T> output_;
};

// bias [groups * out] with each group's channels padded to whole vectors.
template <typename T>
const T* pad_bias(const ConvPass& pass, const ChannelBlocks& blocks, const T* bias) {
  if (bias == nullptr) return nullptr;
  thread_local Scratch<T> scratch;
  T* const padded = scratch.reserve(pass.groups * blocks.padded());
  std::fill_n(padded, pass.groups * blocks.padded(), T(0));
  for (int64_t g = 0; g < pass.groups; ++g) {
    std::copy_n(bias + g * pass.out, pass.out, padded + g * blocks.padded());
  }
  return padded;
}

}  // namespace

int64_t band_elements(const ConvPass& pass, int64_t rows) {
  const int64_t high = pass.reads(1, 0, rows).size(),
                wide = pass.reads(2, 0, pass.out_size[2]).size();
  return planes_of(pass) * high * wide * band_step(pass.in);
}

ConvDirectPlan plan_direct(const ConvPass& pass, int64_t lanes, int64_t element_bytes) {
  const int64_t all = pass.out_size[1];
  int64_t rows = all;
  while (rows > 1 && band_elements(pass, rows) * element_bytes > kBandBytes) rows = (rows + 1) / 2;
  const int64_t images = std::max<int64_t>(1, pass.batch * pass.groups * pass.out_size[0]);
  rows = std::min(rows, std::max<int64_t>(1, all * images / kTasks));
  const int64_t bands = ceil_div(all, rows);
  const int64_t blocks = ceil_div(pass.out, 2 * lanes);
  const int64_t parts = std::clamp<int64_t>(kTasks / (images * bands), 1, blocks);
  return {ceil_div(all, bands), ceil_div(blocks, parts)};
}

template <typename T>
bool conv_direct(const ConvPass& pass, Image<const T> input, const T* weight, const T* bias,
                 Image<T> output, bool finite) {
  const PackedWeights<T> weights = pack_weights(pass, weight);
  if (finite && !weights.finite) return false;
  const ConvDirectPlan plan = plan_direct(pass, weights.blocks.lanes, sizeof(T));
  const int64_t blocks = weights.blocks.count(), parts = ceil_div(blocks, plan.blocks);
  const int64_t bands = ceil_div(pass.out_size[1], plan.rows), planes = pass.out_size[0];
  const Direct<T> direct(pass, weights, input, pad_bias(pass, weights.blocks, bias), output);
  parallel_for(pass.batch * pass.groups * planes * bands * parts, 1,
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) {
                   const int64_t part = i % parts, band = i / parts % bands;
                   const int64_t z = i / parts / bands % planes, at = i / parts / bands / planes;
                   direct.run({at / pass.groups, at % pass.groups, z, band * plan.rows,
                               std::min(pass.out_size[1], (band + 1) * plan.rows),
                               part * plan.blocks, std::min(blocks, (part + 1) * plan.blocks)});
                 }
               });
  return true;
}

template bool conv_direct<float>(const ConvPass&, Image<const float>, const float*, const float*,
                                 Image<float>, bool);
template bool conv_direct<double>(const ConvPass&, Image<const double>, const double*,
                                  const double*, Image<double>, bool);

}  // namespace minidl::cpu
