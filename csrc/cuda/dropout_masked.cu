// Dropout: a thread takes as many neighbouring elements as fill 16 bytes, four at least, which is
// what a block of the random stream decides.
#include "cuda/dropout_kernels.h"
#include "cuda/launch.h"
#include "cuda/random_kernels.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------

constexpr int threads = 256;

template <class T>
constexpr int elements = sizeof(T) == 2 ? 8 : 4;

// ---- Kernel -----------------------------------------------------------------------------------

template <class T>
__device__ __forceinline__ T masked(T x, bool stays, T scale) {
  using Real = accumulator_t<T>;
  return static_cast<T>(static_cast<Real>(x) * (stays ? static_cast<Real>(scale) : Real(0)));
}

// Whether each of the elements from `first` on stays.
template <int n>
__device__ __forceinline__ void draw_mask(const RandomStream& random, std::int64_t first, float p,
                                          Pack<std::uint8_t, n>& mask) {
  MINIDL_UNROLL
  for (int i = 0; i < n; i += 4) {
    const auto block = static_cast<std::uint64_t>((first + i) / 4);
    const PhiloxBlock words = philox(first_block(random) + block, random.seed);
    MINIDL_UNROLL
    for (int k = 0; k < 4; ++k) mask[i + k] = philox_unit_float(words.word[k]) >= p;
  }
}

template <class T, bool drawn>
__global__ void __launch_bounds__(threads) dropout_masked_kernel(DropoutArrays<T> a) {
  constexpr int n = elements<T>, per_pack = Pack<T>::size;
  const std::int64_t index = blockIdx.x * static_cast<std::int64_t>(threads) + threadIdx.x;
  const std::int64_t first = index * n;
  if (first >= a.walk.count) return;
  Pack<std::uint8_t, n> mask;
  if constexpr (drawn) draw_mask(a.random, first, a.p, mask);
  if (a.packs && first + n <= a.walk.count) {
    if constexpr (drawn) {
      store_pack(a.mask + first, mask);
    } else {
      mask = load_pack<Pack<std::uint8_t, n>>(a.mask + first);
    }
    MINIDL_UNROLL
    for (int i = 0; i < n; i += per_pack) {
      Pack<T> x = load_pack<Pack<T>>(a.input + first + i);
      MINIDL_UNROLL
      for (int k = 0; k < per_pack; ++k) x[k] = masked(x[k], mask[i + k] != 0, a.scale);
      store_pack(a.output + first + i, x);
    }
    return;
  }
  MINIDL_UNROLL
  for (int i = 0; i < n; ++i) {
    if (first + i >= a.walk.count) break;
    const Offsets<2> at = a.walk.at(first + i);
    if constexpr (drawn) {
      a.mask[at.in[1]] = mask[i];
    } else {
      mask[i] = a.mask[at.in[1]];
    }
    a.output[first + i] = masked(a.input[at.in[0]], mask[i] != 0, a.scale);
  }
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T, bool drawn>
void dropout_masked(const DropoutArrays<T>& arrays, Stream stream) {
  constexpr int per_block = elements<T> * threads;
  launch("dropout_masked", dropout_masked_kernel<T, drawn>,
         {.grid = {(arrays.walk.count + per_block - 1) / per_block}, .block = {threads}}, stream,
         arrays);
}

#define MINIDL_INSTANCE(T)                                                \
  template void dropout_masked<T, true>(const DropoutArrays<T>&, Stream); \
  template void dropout_masked<T, false>(const DropoutArrays<T>&, Stream);
MINIDL_INSTANCE(Half)
MINIDL_INSTANCE(BFloat16)
MINIDL_INSTANCE(float)
MINIDL_INSTANCE(double)
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
