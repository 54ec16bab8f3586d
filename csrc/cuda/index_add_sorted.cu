// Adding at indices in a fixed order: entries lie sorted by where they point, those of one place in
// the order in which they came. The first entry of a place, the head, adds up all of them and
// writes. A place that very many entries share would keep its head busy for long: so entries are
// cut into chunks, the first pass adds up the lead of each chunk, which is what belongs to a place
// whose head lies in an earlier chunk, and the head adds leads from the next chunk on.
#include "cuda/index_kernels.h"
#include "cuda/launch.h"
#include "cuda/ptx/unroll.h"
#include "cuda/reduce_ops.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------

constexpr int loads_ahead = 4;  // entries that a thread asks for before it waits for the first

// ---- Kernel -----------------------------------------------------------------------------------

template <class T>
using Sum = arithmetic_t<T>;

// The sum over the entries from `first` that have its key, as far as the end of its chunk.
template <class T>
__device__ __forceinline__ Sum<T> sum_in_chunk(const SortedAdd<T>& a, std::int64_t first,
                                               std::int64_t offset) {
  const unsigned key = a.keys[first];
  std::int64_t end = (first / chunk_entries + 1) * chunk_entries;
  if (end > a.entries) end = a.entries;
  Sum<T> sum = 0;
  for (std::int64_t n = first; n < end && a.keys[n] == key; n += loads_ahead) {
    Sum<T> ahead[loads_ahead];
    MINIDL_UNROLL
    for (int k = 0; k < loads_ahead; ++k) {
      const bool mine = n + k < end && a.keys[n + k] == key;
      const std::int64_t entry = a.order[mine ? n + k : n];
      ahead[k] = static_cast<Sum<T>>(a.source[a.entry_of_source.at(entry).in[0] + offset]);
      if (!mine) ahead[k] = 0;
    }
    MINIDL_UNROLL
    for (int k = 0; k < loads_ahead; ++k) sum += ahead[k];
  }
  return sum;
}

__device__ __forceinline__ bool is_head(const unsigned* keys, std::int64_t n) {
  return n == 0 || keys[n] != keys[n - 1];
}

// leads[chunk][j], where the chunk's first entry is no head
template <class T>
__global__ void __launch_bounds__(index_threads) index_add_leads_kernel(SortedAdd<T> a) {
  const std::int64_t i = blockIdx.x * static_cast<std::int64_t>(blockDim.x) + threadIdx.x;
  const std::int64_t first = i / a.inner.count * chunk_entries, j = i % a.inner.count;
  if (first >= a.entries || is_head(a.keys, first) || a.keys[first] == a.limit) return;
  static_cast<Sum<T>*>(a.leads)[i] = sum_in_chunk(a, first, a.inner.at(j).in[1]);
}

template <class T>
__global__ void __launch_bounds__(index_threads) index_add_sorted_kernel(SortedAdd<T> a) {
  const std::int64_t i = blockIdx.x * static_cast<std::int64_t>(blockDim.x) + threadIdx.x;
  const std::int64_t head = i / a.inner.count, j = i % a.inner.count;
  if (head >= a.entries || !is_head(a.keys, head) || a.keys[head] == a.limit) return;
  const Offsets<2> at = a.inner.at(j);
  Sum<T> sum = sum_in_chunk(a, head, at.in[1]);
  const unsigned key = a.keys[head];
  for (std::int64_t chunk = head / chunk_entries + 1;
       chunk * chunk_entries < a.entries && a.keys[chunk * chunk_entries] == key; ++chunk) {
    sum += static_cast<const Sum<T>*>(a.leads)[chunk * a.inner.count + j];
  }
  T& place = a.target[key * a.step + at.in[0]];
  place = static_cast<T>(static_cast<Sum<T>>(place) + sum);
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T>
void index_add_sorted(const SortedAdd<T>& add, Stream stream) {
  const std::int64_t chunks = (add.entries + chunk_entries - 1) / chunk_entries;
  const auto blocks = [&](std::int64_t rows) {
    return (rows * add.inner.count + index_threads - 1) / index_threads;
  };
  if (chunks > 1) {
    launch("index_add_leads", index_add_leads_kernel<T>,
           {.grid = {blocks(chunks)}, .block = {index_threads}}, stream, add);
  }
  launch("index_add_sorted", index_add_sorted_kernel<T>,
         {.grid = {blocks(add.entries)}, .block = {index_threads}}, stream, add);
}

#define MINIDL_INSTANCE(T) template void index_add_sorted<T>(const SortedAdd<T>&, Stream);
MINIDL_INSTANCE(Half)
MINIDL_INSTANCE(BFloat16)
MINIDL_INSTANCE(float)
MINIDL_INSTANCE(double)
MINIDL_INSTANCE(std::uint8_t)
MINIDL_INSTANCE(std::uint16_t)
MINIDL_INSTANCE(std::uint32_t)
MINIDL_INSTANCE(std::uint64_t)
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
