// Writing at indices, in two passes: where several entries meet, the first pass finds the last of
// them, which alone writes in the second. So what stays does not depend on which thread is faster.
#include "cuda/index_kernels.h"
#include "cuda/launch.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// Threads a block: index_kernels.h.

// ---- Kernel -----------------------------------------------------------------------------------

// owners[place] = 1 + number of the last entry that writes there
template <int N>
__global__ void __launch_bounds__(index_threads)
    index_claim_kernel(IndexedWalk<N> w, unsigned* owners) {
  const std::int64_t i = blockIdx.x * static_cast<std::int64_t>(blockDim.x) + threadIdx.x;
  if (i >= w.walk.count) return;
  const Offsets<N + 2> at = w.walk.at(i);
  std::int64_t to = at.in[0];
  if (w.locate(at, to)) atomic_max(&owners[to], static_cast<unsigned>(i) + 1);
}

template <class Unit, int N>
__global__ void __launch_bounds__(index_threads)
    index_write_kernel(IndexedWalk<N> w, Unit* target, const Unit* source, const unsigned* owners) {
  const std::int64_t i = blockIdx.x * static_cast<std::int64_t>(blockDim.x) + threadIdx.x;
  if (i >= w.walk.count) return;
  const Offsets<N + 2> at = w.walk.at(i);
  std::int64_t to = at.in[0];
  if (w.locate(at, to) && owners[to] == static_cast<unsigned>(i) + 1)
    target[to] = source[at.in[N + 1]];
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class Unit, int N>
void index_write(const IndexedWalk<N>& walk, Unit* target, const Unit* source, unsigned* owners,
                 Stream stream) {
  const std::int64_t blocks = (walk.walk.count + index_threads - 1) / index_threads;
  const LaunchShape shape{.grid = {blocks}, .block = {index_threads}};
  launch("index_claim", index_claim_kernel<N>, shape, stream, walk, owners);
  launch("index_write", index_write_kernel<Unit, N>, shape, stream, walk, target, source, owners);
}

#define MINIDL_INSTANCE(Unit)                                                                    \
  template void index_write<Unit, 1>(const IndexedWalk<1>&, Unit*, const Unit*, unsigned*,       \
                                     Stream);                                                    \
  template void index_write<Unit, max_indexed_axes>(const IndexedWalk<max_indexed_axes>&, Unit*, \
                                                    const Unit*, unsigned*, Stream);
MINIDL_UNITS(MINIDL_INSTANCE)
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
