// Product of a row x [K] and a matrix w [K, N]: every element of the matrix is read once, so the
// layout of the matrix decides.
//   along    k is its unit axis: a warp an output, lanes beside each other along k
//   across   n is its unit axis: a lane a few neighbouring outputs, the warps of a block share the
//            sum over k and add in the order of the warps
#include "cuda/launch.h"
#include "cuda/matmul_tile.h"
#include "cuda/pack.h"
#include "cuda/ptx/shared.h"
#include "cuda/ptx/unroll.h"
#include "cuda/ptx/warp.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------

constexpr int warps = 8, threads = warps * warp_size;

template <class T>
constexpr int pack_size = Pack<T>::size;

// ---- Kernel -----------------------------------------------------------------------------------

// `size` elements in a stride, packed where they are neighbours and aligned.
template <class T>
__device__ __forceinline__ Pack<T> load_elements(const T* source, std::int64_t stride, int count,
                                                 bool packed) {
  if (packed && count >= pack_size<T>) return load_pack<Pack<T>>(source);
  Pack<T> elements;
  MINIDL_UNROLL
  for (int i = 0; i < pack_size<T>; ++i) elements[i] = i < count ? source[i * stride] : T(0.0f);
  return elements;
}

// What a block has: a group of outputs, a part of the sum.
struct Part {
  std::int64_t group;
  MatmulPlace place;
};

template <class T>
__device__ __forceinline__ Part part_of_block(const MatmulOperands<T>& o, std::int64_t groups) {
  const std::int64_t rest = blockIdx.x / groups;
  Part part = {.group = blockIdx.x % groups, .place = {}};
  part.place.split = static_cast<int>(rest % o.splits);
  part.place.batch = rest / o.splits;
  part.place.first_k = part.place.split * o.k_per_split;
  part.place.depth = up_to(o.k - part.place.first_k, o.k_per_split);
  return part;
}

template <class T>
__global__ void __launch_bounds__(threads) matmul_along_kernel(MatmulOperands<T> o) {
  using A = accumulator_t<T>;
  constexpr int size = pack_size<T>;
  const int lane = threadIdx.x % warp_size;
  const std::int64_t groups = (o.n + warps - 1) / warps;
  const auto [group, place] = part_of_block(o, groups);
  const std::int64_t n = group * warps + threadIdx.x / warp_size;
  const Offsets<4> at = o.batch.at(place.batch);
  const T* x = o.a + at.in[0] + place.first_k * o.a_k;
  const T* w = o.b + at.in[1] + (n < o.n ? n : o.n - 1) * o.b_n + place.first_k * o.b_k;
  A sum = 0;
  for (std::int64_t k = lane * size; k < place.depth; k += warp_size * size) {
    const int count = up_to(place.depth - k, size);
    const Pack<T> left = load_elements(x + k * o.a_k, o.a_k, count, o.a_layout.aligned);
    const Pack<T> right = load_elements(w + k * o.b_k, o.b_k, count, o.b_layout.aligned);
    MINIDL_UNROLL
    for (int i = 0; i < size; ++i) sum += static_cast<A>(left[i]) * static_cast<A>(right[i]);
  }
  sum = warp_sum(sum);
  if (lane == 0) MatmulSink<T>(o, place, at).put({sum}, 0, n);
}

template <class T>
__global__ void __launch_bounds__(threads) matmul_across_kernel(MatmulOperands<T> o) {
  using A = accumulator_t<T>;
  constexpr int size = pack_size<T>;
  A* parts = dynamic_shared<A>();  // [warps][lanes][size]
  const int lane = threadIdx.x % warp_size, warp = threadIdx.x / warp_size;
  const std::int64_t groups = (o.n + warp_size * size - 1) / (warp_size * size);
  const auto [group, place] = part_of_block(o, groups);
  const std::int64_t n = (group * warp_size + lane) * size;
  const Offsets<4> at = o.batch.at(place.batch);
  const T* x = o.a + at.in[0] + place.first_k * o.a_k;
  const T* w = o.b + at.in[1] + n * o.b_n + place.first_k * o.b_k;
  const int count = up_to(o.n - n, size);
  A sum[size] = {};
  if (count > 0) {
    for (std::int64_t k = warp; k < place.depth; k += warps) {
      const A left = static_cast<A>(x[k * o.a_k]);
      const Pack<T> right = load_elements(w + k * o.b_k, o.b_n, count, o.b_layout.aligned);
      MINIDL_UNROLL
      for (int i = 0; i < size; ++i) sum[i] += left * static_cast<A>(right[i]);
    }
  }
  MINIDL_UNROLL
  for (int i = 0; i < size; ++i) parts[threadIdx.x * size + i] = sum[i];
  __syncthreads();
  const MatmulSink<T> sink(o, place, at);
  for (int i = threadIdx.x; i < warp_size * size; i += threads) {
    A total = 0;
    for (int part = 0; part < warps; ++part) total += parts[part * warp_size * size + i];
    sink.put({total}, 0, group * warp_size * size + i);
  }
}

// ---- Launcher ---------------------------------------------------------------------------------

}  // namespace

template <class T>
void matmul_vector(const MatmulOperands<T>& o, Stream stream) {
  const bool along = o.b_layout.k_unit;
  const std::int64_t outputs = along ? warps : warp_size * pack_size<T>;
  const std::int64_t blocks = (o.n + outputs - 1) / outputs * o.splits * o.batch.count;
  const std::size_t shared =
      along ? 0 : sizeof(accumulator_t<T>) * static_cast<std::size_t>(threads * pack_size<T>);
  launch(along ? "matmul_along" : "matmul_across",
         along ? matmul_along_kernel<T> : matmul_across_kernel<T>,
         {.grid = {blocks}, .block = {threads}, .shared_bytes = shared}, stream, o);
}

template void matmul_vector<float>(const MatmulOperands<float>&, Stream);
template void matmul_vector<double>(const MatmulOperands<double>&, Stream);
template void matmul_vector<Half>(const MatmulOperands<Half>&, Stream);
template void matmul_vector<BFloat16>(const MatmulOperands<BFloat16>&, Stream);

}  // namespace minidl::cuda
