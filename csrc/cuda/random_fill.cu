// Random arrays: a thread a block of the stream, whose elements it writes together.
#include "cuda/launch.h"
#include "cuda/random_kernels.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------

constexpr int threads = 256;

// ---- Kernel -----------------------------------------------------------------------------------

template <class Draw, class T>
__global__ void __launch_bounds__(threads)
    random_fill_kernel(Draw draw, T* out, std::int64_t count, RandomStream stream, bool packs) {
  constexpr int n = elements_per_block<Draw, T>;
  const std::int64_t index = blockIdx.x * static_cast<std::int64_t>(threads) + threadIdx.x;
  const std::int64_t first = index * n;
  if (first >= count) return;
  Pack<T, n> drawn;
  draw(philox(first_block(stream) + static_cast<std::uint64_t>(index), stream.seed), drawn.value);
  if (packs && first + n <= count) {
    store_pack(out + first, drawn);
    return;
  }
  MINIDL_UNROLL
  for (int i = 0; i < n; ++i) {
    if (first + i < count) out[first + i] = drawn[i];
  }
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class Draw, class T>
void random_fill(const Draw& draw, T* out, std::int64_t count, const RandomStream& stream,
                 Stream on) {
  constexpr int per_block = elements_per_block<Draw, T> * threads;
  const bool packs = is_aligned(out, sizeof(T) * elements_per_block<Draw, T>);
  launch("random_fill", random_fill_kernel<Draw, T>,
         {.grid = {(count + per_block - 1) / per_block}, .block = {threads}}, on, draw, out, count,
         stream, packs);
}

#define MINIDL_INSTANCE(Draw, T) \
  template void random_fill<Draw, T>(const Draw&, T*, std::int64_t, const RandomStream&, Stream);
#define MINIDL_FLOATS(Draw)   \
  MINIDL_INSTANCE(Draw, Half) \
  MINIDL_INSTANCE(Draw, BFloat16) MINIDL_INSTANCE(Draw, float) MINIDL_INSTANCE(Draw, double)
MINIDL_INSTANCE(BitsDraw, std::uint32_t)
MINIDL_INSTANCE(BitsDraw, std::uint64_t)
MINIDL_FLOATS(UniformDraw)
MINIDL_FLOATS(NormalDraw)
MINIDL_FLOATS(ExponentialDraw)
MINIDL_INSTANCE(IntegersDraw, std::int64_t)
MINIDL_INSTANCE(WideIntegersDraw, std::int64_t)
#undef MINIDL_FLOATS
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
