// Adding at indices by atomic additions, a thread an element; and the keys by which index_add sorts
// its entries, for additions in a fixed order.
#include "cuda/index_kernels.h"
#include "cuda/launch.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// Threads a block: index_kernels.h.

// ---- Kernel -----------------------------------------------------------------------------------

template <class T, int N>
__global__ void __launch_bounds__(index_threads)
    index_add_atomic_kernel(IndexedWalk<N> w, T* target, const T* source) {
  const std::int64_t i = blockIdx.x * static_cast<std::int64_t>(blockDim.x) + threadIdx.x;
  if (i >= w.walk.count) return;
  const Offsets<N + 2> at = w.walk.at(i);
  std::int64_t to = at.in[0];
  if (w.locate(at, to)) atomic_add(&target[to], source[at.in[N + 1]]);
}

template <int N>
__global__ void __launch_bounds__(index_threads)
    index_keys_kernel(IndexedWalk<N> w, std::int64_t step, unsigned limit, unsigned* keys,
                      unsigned* order) {
  const std::int64_t i = blockIdx.x * static_cast<std::int64_t>(blockDim.x) + threadIdx.x;
  if (i >= w.walk.count) return;
  const Offsets<N + 2> at = w.walk.at(i);
  std::int64_t to = at.in[0];
  keys[i] = w.locate(at, to) ? static_cast<unsigned>(to / step) : limit;
  order[i] = static_cast<unsigned>(i);
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T, int N>
void index_add_atomic(const IndexedWalk<N>& walk, T* target, const T* source, Stream stream) {
  const std::int64_t blocks = (walk.walk.count + index_threads - 1) / index_threads;
  launch("index_add_atomic", index_add_atomic_kernel<T, N>,
         {.grid = {blocks}, .block = {index_threads}}, stream, walk, target, source);
}

template <int N>
void index_keys(const IndexedWalk<N>& walk, std::int64_t step, unsigned limit, unsigned* keys,
                unsigned* order, Stream stream) {
  const std::int64_t blocks = (walk.walk.count + index_threads - 1) / index_threads;
  launch("index_keys", index_keys_kernel<N>, {.grid = {blocks}, .block = {index_threads}}, stream,
         walk, step, limit, keys, order);
}

#define MINIDL_INSTANCE(N)                                                                         \
  template void index_add_atomic<float, N>(const IndexedWalk<N>&, float*, const float*, Stream);   \
  template void index_add_atomic<double, N>(const IndexedWalk<N>&, double*, const double*,         \
                                            Stream);                                               \
  template void index_keys<N>(const IndexedWalk<N>&, std::int64_t, unsigned, unsigned*, unsigned*, \
                              Stream);
MINIDL_INSTANCE(1)
MINIDL_INSTANCE(max_indexed_axes)
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
