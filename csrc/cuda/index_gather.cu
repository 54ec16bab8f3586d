// Gathering: a thread a unit, walking over the output. And the check of indices alone.
#include "cuda/index_kernels.h"
#include "cuda/launch.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// Threads a block: index_kernels.h.

// ---- Kernel -----------------------------------------------------------------------------------

template <class Unit, int N>
__global__ void __launch_bounds__(index_threads)
    index_gather_kernel(IndexedWalk<N> w, const Unit* source, Unit* output) {
  const std::int64_t i = blockIdx.x * static_cast<std::int64_t>(blockDim.x) + threadIdx.x;
  if (i >= w.walk.count) return;
  const Offsets<N + 2> at = w.walk.at(i);
  std::int64_t from = at.in[0];
  output[at.in[N + 1]] = w.locate(at, from) ? source[from] : Unit{};
}

__global__ void __launch_bounds__(index_threads)
    index_check_kernel(IndexedWalk<1> w, std::int64_t* output) {
  const std::int64_t i = blockIdx.x * static_cast<std::int64_t>(blockDim.x) + threadIdx.x;
  if (i >= w.walk.count) return;
  const Offsets<3> at = w.walk.at(i);
  std::int64_t index = 0;
  output[at.in[2]] = w.locate(at, index) ? index : w.rules.ignore;
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class Unit, int N>
void index_gather(const IndexedWalk<N>& walk, const Unit* source, Unit* output, Stream stream) {
  const std::int64_t blocks = (walk.walk.count + index_threads - 1) / index_threads;
  launch("index_gather", index_gather_kernel<Unit, N>, {.grid = {blocks}, .block = {index_threads}},
         stream, walk, source, output);
}

void index_check(const IndexedWalk<1>& walk, std::int64_t* output, Stream stream) {
  const std::int64_t blocks = (walk.walk.count + index_threads - 1) / index_threads;
  launch("index_check", index_check_kernel, {.grid = {blocks}, .block = {index_threads}}, stream,
         walk, output);
}

#define MINIDL_INSTANCE(Unit)                                                              \
  template void index_gather<Unit, 1>(const IndexedWalk<1>&, const Unit*, Unit*, Stream);  \
  template void index_gather<Unit, max_indexed_axes>(const IndexedWalk<max_indexed_axes>&, \
                                                     const Unit*, Unit*, Stream);
MINIDL_UNITS(MINIDL_INSTANCE)
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
