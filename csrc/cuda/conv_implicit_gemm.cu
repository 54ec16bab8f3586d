// Convolution and its gradient by the input as a product of matrices, pixels x terms times terms x
// channels, by fused multiply-adds in registers. The pixels' terms are gathered from the source
// while a tile is loaded: the matrix of windows never exists. For float32 and float64, for 16-bit
// types where a GPU has no tensor cores for them, and for few channels.
#include "cuda/conv_tile.h"
#include "cuda/launch.h"
#include "cuda/ptx/shared.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// The tile is chosen in conv_select.h.

template <class T_, int tile_m_, int tile_n_, int tile_k_, int thread_m_, int thread_n_>
struct Tile {
  using T = T_;
  using Sum = accumulator_t<T>;
  static constexpr int tile_m = tile_m_, tile_n = tile_n_, tile_k = tile_k_;  // pixels, channels
  static constexpr int thread_m = thread_m_, thread_n = thread_n_;            // outputs of a thread
  static constexpr int threads_m = tile_m / thread_m, threads_n = tile_n / thread_n;
  static constexpr int threads = threads_m * threads_n;
  // Blocks that a multiprocessor holds at once: what the registers are divided by.
  static constexpr int blocks = 512 / threads;
  // Neighbours that a thread multiplies: one read of shared memory.
  static constexpr int run = sizeof(Sum) == 8 ? 2 : 4;
  // Terms that a thread loads at once.
  static constexpr int pack = sizeof(T) == 8 ? 2 : 4;
  static constexpr int packs = tile_k / pack;
  static constexpr int loads_m = tile_m * packs / threads;
  static constexpr int loads_n = (tile_n * packs + threads - 1) / threads;
  // Four elements of padding: packs of neighbouring terms go to different banks.
  static constexpr int pitch_m = tile_m + 4, pitch_n = tile_n + 4;

  static_assert(tile_m * packs % threads == 0, "every thread must load as many packs");
  static_assert(thread_m % run == 0 && thread_n % run == 0, "a thread's outputs are whole runs");
  static_assert(tile_k <= threads, "a thread a term prepares the places of terms");
};

template <class C>
struct Shared {
  alignas(16) typename C::Sum slab_m[2][C::tile_k * C::pitch_m];
  alignas(16) typename C::Sum slab_n[2][C::tile_k * C::pitch_n];
  ConvPlace terms[2][C::tile_k];
  std::int64_t target[C::tile_m];
  ConvClass pixels;
};

// ---- Kernel -----------------------------------------------------------------------------------

// What a thread loads of one step over the terms, between global and shared memory.
template <class C>
struct Staged {
  using P = Pack<typename C::T, C::pack>;
  P of_source[C::loads_m], of_weight[C::loads_n];
};

template <class C>
__device__ __forceinline__ ConvSlot slot_m(const ConvLayout& layout, int load) {
  return slot_of(static_cast<int>(threadIdx.x) + load * C::threads, C::tile_m, C::packs,
                 layout.channels_fastest);
}
template <class C>
__device__ __forceinline__ ConvSlot slot_n(int load) {
  return slot_of(static_cast<int>(threadIdx.x) + load * C::threads, C::tile_n, C::packs, true);
}

template <class C, class T>
__device__ __forceinline__ void load(Staged<C>& staged, const ConvLayout& layout, const T* source,
                                     const ConvPlace (&pixel)[C::loads_m], const ConvPlace* terms,
                                     const T* weight, std::int64_t pitch, int term, int channels) {
  using P = typename Staged<C>::P;
  MINIDL_UNROLL
  for (int i = 0; i < C::loads_m; ++i) {
    staged.of_source[i] =
        read_source<P>(source, layout, pixel[i], terms + slot_m<C>(layout, i).pack * C::pack);
  }
  MINIDL_UNROLL
  for (int i = 0; i < C::loads_n; ++i) {
    const auto [row, pack] = slot_n<C>(i);
    const int at = term + pack * C::pack;
    if (row < channels && at < pitch) {
      staged.of_weight[i] = load_pack<P>(weight + row * pitch + at);
    } else {
      MINIDL_UNROLL
      for (int v = 0; v < C::pack; ++v) staged.of_weight[i][v] = T(0.0f);
    }
  }
}

template <class C>
__device__ __forceinline__ void store(const Staged<C>& staged, const ConvLayout& layout,
                                      typename C::Sum* slab_m, typename C::Sum* slab_n) {
  using Sum = typename C::Sum;
  MINIDL_UNROLL
  for (int i = 0; i < C::loads_m; ++i) {
    const auto [row, pack] = slot_m<C>(layout, i);
    MINIDL_UNROLL
    for (int v = 0; v < C::pack; ++v) {
      slab_m[(pack * C::pack + v) * C::pitch_m + row] = static_cast<Sum>(staged.of_source[i][v]);
    }
  }
  MINIDL_UNROLL
  for (int i = 0; i < C::loads_n; ++i) {
    const auto [row, pack] = slot_n<C>(i);
    if (row >= C::tile_n) continue;
    MINIDL_UNROLL
    for (int v = 0; v < C::pack; ++v) {
      slab_n[(pack * C::pack + v) * C::pitch_n + row] = static_cast<Sum>(staged.of_weight[i][v]);
    }
  }
}

// Row (or column) number i of a thread: its runs of neighbours alternate with the other threads'.
template <class C>
__device__ __forceinline__ int spread(int thread, int threads, int i) {
  return (i / C::run * threads + thread) * C::run + i % C::run;
}

template <class C>
__device__ __forceinline__ void multiply(const typename C::Sum* slab_m,
                                         const typename C::Sum* slab_n, int row, int column,
                                         typename C::Sum (&sum)[C::thread_m][C::thread_n]) {
  using Run = Pack<typename C::Sum, C::run>;
  MINIDL_UNROLL
  for (int k = 0; k < C::tile_k; ++k) {
    Run m[C::thread_m / C::run], n[C::thread_n / C::run];
    MINIDL_UNROLL
    for (int i = 0; i < C::thread_m / C::run; ++i) {
      m[i] = load_pack<Run>(slab_m + k * C::pitch_m + spread<C>(row, C::threads_m, i * C::run));
    }
    MINIDL_UNROLL
    for (int j = 0; j < C::thread_n / C::run; ++j) {
      n[j] = load_pack<Run>(slab_n + k * C::pitch_n + spread<C>(column, C::threads_n, j * C::run));
    }
    MINIDL_UNROLL
    for (int i = 0; i < C::thread_m; ++i) {
      MINIDL_UNROLL
      for (int j = 0; j < C::thread_n; ++j) {
        sum[i][j] += m[i / C::run][i % C::run] * n[j / C::run][j % C::run];
      }
    }
  }
}

template <class C>
__device__ __forceinline__ void write(const typename C::Sum (&sum)[C::thread_m][C::thread_n],
                                      const ConvGemm<typename C::T>& p, const std::int64_t* offsets,
                                      const ConvBlock& block, int pixels, int row, int column) {
  using Sum = typename C::Sum;
  typename C::T* target = p.target + block.channel * p.layout.target.channel;
  MINIDL_UNROLL
  for (int j = 0; j < C::thread_n; ++j) {
    const int n = spread<C>(column, C::threads_n, j);
    if (n >= block.channels) continue;
    const Sum bias =
        p.bias ? static_cast<Sum>(p.bias[(block.channel + n) * p.bias_stride]) : Sum(0);
    MINIDL_UNROLL
    for (int i = 0; i < C::thread_m; ++i) {
      const int m = spread<C>(row, C::threads_m, i);
      if (m < pixels) {
        target[offsets[m] + n * p.layout.target.channel] = typename C::T(sum[i][j] + bias);
      }
    }
  }
}

template <class C>
__global__ void __launch_bounds__(C::threads, C::blocks)
    conv_implicit_gemm_kernel(ConvGemm<typename C::T> p) {
  using T = typename C::T;
  Shared<C>& shared = *dynamic_shared<Shared<C>>();
  const ConvLayout& layout = p.layout;
  const ConvBlock block = conv_block(p, C::tile_m, C::tile_n);
  prepare_class(shared.pixels, layout, block.number);
  const ConvClass& pixels = shared.pixels;
  if (block.pixel >= pixels.pixels) return;  // the whole block: classes differ in size

  const int thread = static_cast<int>(threadIdx.x), first = static_cast<int>(block.pixel);
  const T *source = p.source + block.source, *weight = p.weight + block.weight;
  ConvPlace pixel[C::loads_m];
  MINIDL_UNROLL
  for (int i = 0; i < C::loads_m; ++i) {
    pixel[i] = source_place(pixels, layout, first + slot_m<C>(layout, i).row);
  }
  for (int i = thread; i < C::tile_m; i += C::threads) {
    shared.target[i] = target_offset(pixels, layout, first + i);
  }
  const auto place_terms = [&](int step) {
    if (thread < C::tile_k) {
      shared.terms[step % 2][thread] = term_place(pixels, layout, step * C::tile_k + thread);
    }
  };
  const int steps = (pixels.terms + C::tile_k - 1) / C::tile_k;
  Staged<C> staged;
  const auto load_step = [&](int step) {
    load<C, T>(staged, layout, source, pixel, shared.terms[step % 2], weight, p.weight_pitch,
               step * C::tile_k, block.channels);
  };

  const bool along = layout.target_channels_last;
  const int row = along ? thread / C::threads_n : thread % C::threads_m;
  const int column = along ? thread % C::threads_n : thread / C::threads_m;
  typename C::Sum sum[C::thread_m][C::thread_n] = {};
  place_terms(0);
  place_terms(1);
  __syncthreads();
  load_step(0);
  store<C>(staged, layout, shared.slab_m[0], shared.slab_n[0]);
  __syncthreads();
  for (int step = 0; step < steps; ++step) {
    if (step + 1 < steps) load_step(step + 1);
    if (step + 2 < steps) place_terms(step + 2);
    multiply<C>(shared.slab_m[step % 2], shared.slab_n[step % 2], row, column, sum);
    if (step + 1 < steps) {
      store<C>(staged, layout, shared.slab_m[(step + 1) % 2], shared.slab_n[(step + 1) % 2]);
    }
    __syncthreads();
  }

  write<C>(sum, p, shared.target, block, pixels.pixels - first, row, column);
}

// ---- Launcher ---------------------------------------------------------------------------------

template <class C>
void run(const ConvGemm<typename C::T>& p, Stream stream) {
  static_assert(sizeof(Shared<C>) <= plain_shared_bytes, "every GPU must have the memory");
  launch("conv_implicit_gemm", conv_implicit_gemm_kernel<C>,
         {.grid = {conv_blocks(p)}, .block = {C::threads}, .shared_bytes = sizeof(Shared<C>)},
         stream, p);
}

}  // namespace

template <class T>
void conv_implicit_gemm(const ConvGemm<T>& p, const ConvConfig& config, Stream stream) {
  if (config.tile == ConvConfig::narrow)
    return run<Tile<T, 128, 16, sizeof(T) == 8 ? 8 : 16, 4, 4>>(p, stream);
  if constexpr (sizeof(accumulator_t<T>) == 4 && sizeof(T) == 4) {
    if (config.tile == ConvConfig::large) return run<Tile<T, 128, 128, 8, 8, 8>>(p, stream);
  }
  run<Tile<T, 64, 64, 16, 4, 4>>(p, stream);
}

template void conv_implicit_gemm<Half>(const ConvGemm<Half>&, const ConvConfig&, Stream);
template void conv_implicit_gemm<BFloat16>(const ConvGemm<BFloat16>&, const ConvConfig&, Stream);
template void conv_implicit_gemm<float>(const ConvGemm<float>&, const ConvConfig&, Stream);
template void conv_implicit_gemm<double>(const ConvGemm<double>&, const ConvConfig&, Stream);

}  // namespace minidl::cuda
