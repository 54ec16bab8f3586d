// An optimizer step: the tensors are cut into chunks of one size, whatever their own sizes, and a
// block takes a chunk, by packs of 16 bytes where all arrays of the tensor are aligned.
#include "cuda/launch.h"
#include "cuda/optim_kernels.h"
#include "cuda/pack.h"
#include "cuda/ptx/unroll.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------

constexpr int threads = 256;

// ---- Kernel -----------------------------------------------------------------------------------

// The tensor that chunk number `chunk` belongs to.
__device__ __forceinline__ std::int64_t find_tensor(const OptimTable& table, std::int64_t chunk) {
  std::int64_t first = 0, last = table.count;  // tensors[first].first_chunk <= chunk < that of last
  while (last - first > 1) {
    const std::int64_t middle = (first + last) / 2;
    if (table.tensors[middle].first_chunk <= chunk) {
      first = middle;
    } else {
      last = middle;
    }
  }
  return first;
}

// Reads n elements from `i` on of every array, updates them, writes all but the gradient.
template <int n, class Step>
__device__ __forceinline__ void update_pack(const Step& step, const typename Step::Constants& c,
                                            typename Step::Element* const (&array)[Step::arrays],
                                            std::int64_t i) {
  using T = typename Step::Element;
  using Real = typename Step::Real;
  Pack<T, n>
      pack[Step::arrays]{};  // the host compilers do not see that an absent array is not read
  MINIDL_UNROLL
  for (int a = 0; a < Step::arrays; ++a) {
    if (array[a]) pack[a] = load_pack<Pack<T, n>>(array[a] + i);
  }
  MINIDL_UNROLL
  for (int k = 0; k < n; ++k) {
    Real value[Step::arrays];
    MINIDL_UNROLL
    for (int a = 0; a < Step::arrays; ++a)
      value[a] = array[a] ? static_cast<Real>(pack[a][k]) : Real(0);
    step.update(c, value);
    MINIDL_UNROLL
    for (int a = 0; a < Step::arrays; ++a) pack[a][k] = static_cast<T>(value[a]);
  }
  MINIDL_UNROLL
  for (int a = 0; a < Step::arrays; ++a) {
    if (a != 1 && array[a]) store_pack(array[a] + i, pack[a]);
  }
}

template <class Step>
__global__ void __launch_bounds__(threads) optim_chunked_kernel(Step step, OptimTable table) {
  using T = typename Step::Element;
  constexpr int per_pack = Pack<T>::size;
  const std::int64_t index = find_tensor(table, blockIdx.x);
  const OptimTensor& tensor = table.tensors[index];
  const auto constants = step.constants(table.options, tensor, index);
  T* array[Step::arrays];
  std::uint64_t addresses = 0;
  MINIDL_UNROLL
  for (int a = 0; a < Step::arrays; ++a) {
    array[a] = reinterpret_cast<T*>(tensor.address[a]);
    addresses |= tensor.address[a];
  }
  const std::int64_t first = (blockIdx.x - tensor.first_chunk) * optim_chunk;
  const std::int64_t end = first + optim_chunk < tensor.size ? first + optim_chunk : tensor.size;
  std::int64_t done = first;
  if (addresses % pack_bytes == 0) {
    done = end - (end - first) % per_pack;
    for (std::int64_t i = first + threadIdx.x * per_pack; i < done; i += threads * per_pack)
      update_pack<per_pack>(step, constants, array, i);
  }
  for (std::int64_t i = done + threadIdx.x; i < end; i += threads)
    update_pack<1>(step, constants, array, i);
}

__global__ void __launch_bounds__(threads)
    adam_clock_kernel(double* clocks, const double* options, std::int64_t count) {
  const std::int64_t index = blockIdx.x * static_cast<std::int64_t>(threads) + threadIdx.x;
  if (index >= count) return;
  double* clock = clocks + index * clock_words;
  const double steps = clock[0] + 1;
  clock[0] = steps;
  clock[1] = 1 - std::pow(options[1], steps);
  clock[2] = std::sqrt(1 - std::pow(options[2], steps));
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class Step>
void optim_chunked(const Step& step, const OptimTable& table, Stream stream) {
  launch("optim_chunked", optim_chunked_kernel<Step>, {.grid = {table.chunks}, .block = {threads}},
         stream, step, table);
}

void adam_clock(double* clocks, const double* options, std::int64_t count, Stream stream) {
  launch("adam_clock", adam_clock_kernel,
         {.grid = {(count + threads - 1) / threads}, .block = {threads}}, stream, clocks, options,
         count);
}

#define MINIDL_INSTANCE(T)                                                               \
  template void optim_chunked<SgdStep<T>>(const SgdStep<T>&, const OptimTable&, Stream); \
  template void optim_chunked<AdamStep<T>>(const AdamStep<T>&, const OptimTable&, Stream);
MINIDL_INSTANCE(Half)
MINIDL_INSTANCE(BFloat16)
MINIDL_INSTANCE(float)
MINIDL_INSTANCE(double)
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
