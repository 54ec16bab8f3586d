#include "cpu/conv_planes.h"

#include "cpu/thread_pool.h"

namespace minidl::cpu {

bool planes_fit(const ConvPass& pass) {
  const int64_t phases = static_cast<int64_t>(pass.axes[2].size());
  const int64_t width = pass.out_size[2];
  if (!pass.is_flat() || width < 12 * phases) return false;
  // Of many outputs, 16 columns at a time: little may be lost at the end of a row.
  return pass.out <= 4 ||
         (pass.in <= 4 && phases == 1 && 5 * width >= 4 * ceil_div(width, 16) * 16);
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
      const int64_t pieces = ceil_div(pass.out, kPlaneOutputs);
      for (int64_t piece = 0; piece < pieces; ++piece) {
        const int64_t o = pass.out * piece / pieces, channel = group * pass.out + o;
        plane_forward(band, rows, pass.out * (piece + 1) / pieces - o,
                      weight + group * pass.weight_group + o * pass.weight_out, pass.weight_out,
                      bias == nullptr ? nullptr : bias + channel,
                      output.data + image * output.layout.batch + channel * output.layout.channel,
                      output.layout.point[1], output.layout.channel);
      }
    }
  });
}

template void conv_planes<float>(const ConvPass&, Image<const float>, const float*, const float*,
                                 Image<float>);
template void conv_planes<double>(const ConvPass&, Image<const double>, const double*,
                                  const double*, Image<double>);

}  // namespace minidl::cpu
