#include "cpu/conv_planes.h"

#include "cpu/thread_pool.h"

namespace minidl::cpu {

bool planes_fit(const ConvPass& pass) {
  const int64_t phases = static_cast<int64_t>(pass.axes[2].size());
  return pass.is_flat() && pass.out <= 4 && pass.out_size[2] >= 12 * phases;
}

template <typename T>
void conv_planes(const ConvPass& pass, Image<const T> input, const T* weight, const T* bias,
                 Image<T> output) {
  const std::vector<PlaneBand<T>> bands = plane_bands<T>(pass);
  const int64_t planes = pass.batch * pass.groups, count = static_cast<int64_t>(bands.size());
  const int64_t work = product(pass.out_size) / count * pass.in * pass.out;
  parallel_for(planes * count, grain(work), [&](int64_t begin, int64_t end) {
    thread_local Scratch<T> memory;
    T* rows = nullptr;
    for (int64_t i = begin; i < end; ++i) {
      const PlaneBand<T>& band = bands[static_cast<size_t>(i / planes)];
      const int64_t image = i % planes / pass.groups, group = i % pass.groups;
      const int64_t size = band.padded.elements();
      if (i == begin || i % planes == 0) {
        rows = memory.reserve(pass.in * size);
        for (int64_t c = 0; c < pass.in; ++c) band.padded.clear(rows + c * size);
      }
      const T* from =
          input.data + image * input.layout.batch + group * pass.in * input.layout.channel;
      for (int64_t c = 0; c < pass.in; ++c) {
        band.padded.fill(from + c * input.layout.channel, input.layout.point[1], rows + c * size);
      }
      for (int64_t o = 0; o < pass.out; ++o) {
        const int64_t channel = group * pass.out + o;
        plane_forward(band, rows, weight + group * pass.weight_group + o * pass.weight_out,
                      bias == nullptr ? T(0) : bias[channel],
                      output.data + image * output.layout.batch + channel * output.layout.channel,
                      output.layout.point[1]);
      }
    }
  });
}

template void conv_planes<float>(const ConvPass&, Image<const float>, const float*, const float*,
                                 Image<float>);
template void conv_planes<double>(const ConvPass&, Image<const double>, const double*,
                                  const double*, Image<double>);

}  // namespace minidl::cpu
