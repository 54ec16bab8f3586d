// The largest value of every bin and where it stands: a thread searches one bin.
#include "cuda/launch.h"
#include "cuda/pool_element.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// pool_threads and the order of the bins: pool_kernels.h

// ---- Kernel -----------------------------------------------------------------------------------

template <class T>
__global__ void __launch_bounds__(pool_threads) pool_bin_max_kernel(BinMax<T> a) {
  using Real = accumulator_t<T>;
  const MeanLayout<BinAxis>& p = a.layout;
  PoolElement e;
  if (!pool_element(p.order, e)) return;
  Range inputs[3];
  for (int d = 0; d < 3; ++d) inputs[d] = p.axis[d].inputs(e.at[d]);
  const auto flat = [&](int z, int y, int x) {
    return (static_cast<std::int64_t>(z) * p.axis[1].size + y) * p.axis[2].size + x;
  };
  Real best = -INFINITY;
  std::int64_t winner = flat(inputs[0].first, inputs[1].first, inputs[2].first);
  PoolElement at = e;
  for (at.at[0] = inputs[0].first; at.at[0] < inputs[0].end; ++at.at[0]) {
    for (at.at[1] = inputs[1].first; at.at[1] < inputs[1].end; ++at.at[1]) {
      for (at.at[2] = inputs[2].first; at.at[2] < inputs[2].end; ++at.at[2]) {
        const Real value = static_cast<Real>(a.input[at.offset(p.input_strides)]);
        if (value > best || value != value) {  // a NaN wins, and only a later NaN beats it
          best = value;
          winner = flat(at.at[0], at.at[1], at.at[2]);
        }
      }
    }
  }
  a.output[e.offset(p.output_strides)] = static_cast<T>(best);
  a.indices[e.offset(a.index_strides)] = winner;
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T>
void pool_bin_max(const BinMax<T>& a, Stream stream) {
  const PoolOrder& order = a.layout.order;
  launch("pool_bin_max", pool_bin_max_kernel<T>,
         {.grid = {order.blocks * order.planes}, .block = {pool_threads}}, stream, a);
}

template void pool_bin_max<Half>(const BinMax<Half>&, Stream);
template void pool_bin_max<BFloat16>(const BinMax<BFloat16>&, Stream);
template void pool_bin_max<float>(const BinMax<float>&, Stream);
template void pool_bin_max<double>(const BinMax<double>&, Stream);

}  // namespace minidl::cuda
