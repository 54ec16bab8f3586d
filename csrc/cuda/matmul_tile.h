// What the matmul kernels share: which tile a block computes, and how a sum becomes an output.
#pragma once

#include "cuda/matmul_kernels.h"
#include "cuda/pack.h"
#include "cuda/ptx/unroll.h"

namespace minidl::cuda {

// The tile of a block: where it starts in the matrices, and which part of the sum it has.
struct MatmulPlace {
  std::int64_t first_m, first_n, first_k;
  int depth;  // how many k; matmul.cpp checked that they fit
  std::int64_t batch;
  int split;
};

// `left`, or `most` where it is more.
__device__ __forceinline__ int up_to(std::int64_t left, std::int64_t most) {
  return static_cast<int>(left < most ? left : most);
}

// Blocks that run at the same time should share operands in the cache: tiles are numbered down
// columns of `group` tiles, so that a wave of blocks covers a rectangle and not a long row.
template <class T>
__device__ __forceinline__ MatmulPlace matmul_place(const MatmulOperands<T>& o, int tile) {
  constexpr unsigned group = 8;
  const auto tiles_m = static_cast<unsigned>(o.tiles_m), tiles_n = static_cast<unsigned>(o.tiles_n);
  const unsigned tiles = tiles_m * tiles_n, index = blockIdx.x % tiles, rest = blockIdx.x / tiles;
  const unsigned first = index / (group * tiles_n) * group;
  const unsigned rows = tiles_m - first < group ? tiles_m - first : group;
  const unsigned within = index - first * tiles_n;
  const auto splits = static_cast<unsigned>(o.splits);
  MatmulPlace place;
  place.first_m = static_cast<std::int64_t>(first + within % rows) * tile;
  place.first_n = static_cast<std::int64_t>(within / rows) * tile;
  place.split = static_cast<int>(rest % splits);
  place.batch = rest / splits;
  place.first_k = place.split * o.k_per_split;
  place.depth = up_to(o.k - place.first_k, o.k_per_split);
  return place;
}

template <int size, class A, class Function>
__device__ __forceinline__ void replace(A (&values)[size], const Function& function) {
  MINIDL_UNROLL
  for (int i = 0; i < size; ++i) values[i] = function(values[i]);
}

template <int size, class A>
__device__ __forceinline__ void activate(Activation activation, A (&values)[size]) {
  switch (activation) {
    case Activation::none:
      return;
    case Activation::relu:
      return replace(values, [](A x) { return x <= A(0) ? A(0) : x; });  // NaN stays NaN
    case Activation::gelu:
      return replace(values,
                     [](A x) { return A(0.5) * x * (A(1) + erf(x * A(0.70710678118654752))); });
    case Activation::gelu_tanh:
      return replace(values, [](A x) {
        return A(0.5) * x * (A(1) + tanh(A(0.79788456080286536) * (x + A(0.044715) * x * x * x)));
      });
    case Activation::tanh:
      return replace(values, [](A x) { return tanh(x); });
    case Activation::sigmoid:
      return replace(values, [](A x) { return A(1) / (A(1) + exp(-x)); });
    case Activation::silu:
      return replace(values, [](A x) { return x / (A(1) + exp(-x)); });
  }
}

// Where the sums of a block go: to the partial sums, or finished to the outputs.
template <class T>
struct MatmulSink {
  using A = accumulator_t<T>;
  const MatmulOperands<T>& o;
  T* out;
  const T* addend;
  A* partials;

  __device__ __forceinline__ MatmulSink(const MatmulOperands<T>& o, const MatmulPlace& place,
                                        const Offsets<4>& at)
      : o(o),
        out(o.out + at.in[2]),
        addend(o.epilogue.addend ? o.epilogue.addend + at.in[3] : nullptr),
        partials(o.partials ? o.partials + (place.split * o.batch.count + place.batch) * o.m * o.n
                            : nullptr) {}

  // `size` sums at (m, n) and to the right of it; those outside of the matrix are left out.
  template <int size>
  __device__ __forceinline__ void put(const A (&sums)[size], std::int64_t m, std::int64_t n) const {
    const std::int64_t left = m < o.m ? o.n - n : 0;
    if (partials) {
      MINIDL_UNROLL
      for (int i = 0; i < size; ++i) {
        if (i < left) partials[m * o.n + n + i] = sums[i];
      }
    } else {
      finish(sums, m, n, left);
    }
  }

  // The same for sums that are complete.
  template <int size>
  __device__ __forceinline__ void finish(const A (&sums)[size], std::int64_t m, std::int64_t n,
                                         std::int64_t left) const {
    const MatmulEpilogueOperands<T>& e = o.epilogue;
    A values[size];
    MINIDL_UNROLL
    for (int i = 0; i < size; ++i) values[i] = e.alpha * sums[i];
    if (addend) {
      MINIDL_UNROLL
      for (int i = 0; i < size; ++i) {
        if (i < left)
          values[i] += e.beta * static_cast<A>(addend[m * e.addend_m + (n + i) * e.addend_n]);
      }
    }
    if (e.bias) {
      MINIDL_UNROLL
      for (int i = 0; i < size; ++i) {
        if (i < left) values[i] += static_cast<A>(e.bias[m * e.bias_m + (n + i) * e.bias_n]);
      }
    }
    activate(e.activation, values);
    T* to = out + m * o.out_m + n * o.out_n;
    Pack<T, size> pack;
    MINIDL_UNROLL
    for (int i = 0; i < size; ++i) pack[i] = static_cast<T>(values[i]);
    if (left >= size && o.out_n == 1 && is_aligned(to, sizeof(pack))) {
      store_pack(to, pack);
    } else {
      MINIDL_UNROLL
      for (int i = 0; i < size; ++i) {
        if (i < left) to[i * o.out_n] = pack[i];
      }
    }
  }

  // Puts sums that lie in shared memory, [rows][pitch], neighbours by neighbouring threads; row r
  // is row_of(r) of the matrix.
  template <int rows, int columns, int pitch, int threads, class RowOf>
  __device__ __forceinline__ void put_staged(const A* staged, std::int64_t first_n,
                                             const RowOf& row_of) const {
    constexpr int size = pack_bytes / static_cast<int>(sizeof(A));
    static_assert(columns % size == 0 && pitch % size == 0, "rows are whole packs");
    MINIDL_KEEP_LOOP
    for (int i = threadIdx.x; i < rows * columns / size; i += threads) {
      const int row = i / (columns / size), column = i % (columns / size) * size;
      const auto sums = load_pack<Pack<A, size>>(staged + row * pitch + column);
      put(sums.value, row_of(row), first_n + column);
    }
  }
};

}  // namespace minidl::cuda
