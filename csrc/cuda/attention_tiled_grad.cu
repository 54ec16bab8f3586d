// Gradients of attention by tiles. Scores and probabilities are computed again from the logarithms
// that the forward pass kept. One kernel collects a tile of queries' gradient over all keys, one a
// tile of keys' and values' over all queries: no sum is shared between blocks, so none is atomic.
//   p = exp(score - lse)   dp = g value^T   ds = p (dp - delta) scale
//   dquery = ds key   dkey = ds^T query   dvalue = p^T g
#include "cuda/attention_tile.h"
#include "cuda/launch.h"
#include "cuda/ptx/shared.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------

// Queries and keys a tile; four tiles of features and one of scores in the 48 KiB that every GPU
// has.
template <class Sum, int width_>
struct Tile {
  static constexpr int width = width_;
  static constexpr int side = width * sizeof(Sum) <= 256 ? 32 : 16;
  static constexpr int per_thread = side / tile_side;
  static constexpr int elements = side * pitch_of(width), score_elements = side * pitch_of(side);
  static constexpr std::size_t bytes = (4 * elements + score_elements) * sizeof(Sum);
  static_assert(bytes <= 48 * 1024, "the tiles must fit in shared memory");
};

// ---- Kernel -----------------------------------------------------------------------------------

// What a block works on: pointers of one leading index, and its tiles in shared memory.
template <class T, class Tile>
struct Work {
  using Sum = accumulator_t<T>;

  const AttentionOperands<T>& o;
  const T* base[attention_inputs];
  const T* bias;
  const Sum *lse, *delta;
  Sum *query, *key, *value, *g, *scores;

  __device__ __forceinline__ Work(const AttentionOperands<T>& operands, std::int64_t index)
      : o(operands) {
    const auto at = o.batch.at(index);
    MINIDL_UNROLL
    for (int n = 0; n < attention_inputs; ++n) base[n] = o.input[n] + at.in[n];
    bias = o.input[in_bias] ? base[in_bias] : nullptr;
    lse = o.lse + index * o.queries;
    delta = o.delta + index * o.queries;
    query = dynamic_shared<Sum>();
    g = query + Tile::elements;
    key = g + Tile::elements;
    value = key + Tile::elements;
    scores = value + Tile::elements;
  }

  __device__ __forceinline__ void load_queries(std::int64_t first) const {
    load_tile<Tile::side, Tile::width>(query, base[in_query] + first * o.strides[in_query].row,
                                       o.strides[in_query], o.queries - first, o.features);
    load_tile<Tile::side, Tile::width>(g, base[in_g] + first * o.strides[in_g].row, o.strides[in_g],
                                       o.queries - first, o.value_features);
  }

  __device__ __forceinline__ void load_keys(std::int64_t first) const {
    load_tile<Tile::side, Tile::width>(key, base[in_key] + first * o.strides[in_key].row,
                                       o.strides[in_key], o.keys - first, o.features);
    load_tile<Tile::side, Tile::width>(value, base[in_value] + first * o.strides[in_value].row,
                                       o.strides[in_value], o.keys - first, o.value_features);
  }

  // The probabilities p of the loaded tiles, and ds.
  using Square = Sum[Tile::per_thread][Tile::per_thread];
  __device__ __forceinline__ void differentiate(std::int64_t first_query, std::int64_t first_key,
                                                Square& p, Square& ds) const {
    const int y = threadIdx.x / tile_side, x = threadIdx.x % tile_side;
    multiply_rows<Tile::width>(query, key, p);
    multiply_rows<Tile::width>(g, value, ds);
    MINIDL_UNROLL
    for (int i = 0; i < Tile::per_thread; ++i) {
      const std::int64_t row = first_query + y + i * tile_side;
      const bool inside = row < o.queries;
      const Sum row_lse = inside ? lse[row] : Sum(0), row_delta = inside ? delta[row] : Sum(0);
      MINIDL_UNROLL
      for (int j = 0; j < Tile::per_thread; ++j) {
        p[i][j] = probability(score(o, bias, p[i][j], row, first_key + x + j * tile_side), row_lse);
        ds[i][j] = p[i][j] * (ds[i][j] - row_delta) * o.scale;
      }
    }
  }

  __device__ __forceinline__ void keep(const Square& values) const {
    const int y = threadIdx.x / tile_side, x = threadIdx.x % tile_side;
    MINIDL_UNROLL
    for (int i = 0; i < Tile::per_thread; ++i) {
      MINIDL_UNROLL
      for (int j = 0; j < Tile::per_thread; ++j)
        scores[(y + i * tile_side) * pitch_of(Tile::side) + x + j * tile_side] = values[i][j];
    }
  }
};

template <class T, class Tile>
__global__ void __launch_bounds__(tile_threads, 2)
    attention_query_grad_kernel(AttentionOperands<T> o, std::int64_t tiles) {
  if constexpr (!given_tiled<T>) return;
  using Sum = accumulator_t<T>;
  const std::int64_t index = blockIdx.x / tiles, first = blockIdx.x % tiles * Tile::side;
  const Work<T, Tile> work(o, index);
  work.load_queries(first);
  Sum sum[Tile::per_thread][Tile::width / tile_side] = {};
  const std::int64_t last = first + Tile::side;
  const std::int64_t keys = o.causal && last < o.keys ? last : o.keys;
  for (std::int64_t key = 0; key < keys; key += Tile::side) {
    __syncthreads();
    work.load_keys(key);
    __syncthreads();
    Sum p[Tile::per_thread][Tile::per_thread], ds[Tile::per_thread][Tile::per_thread];
    work.differentiate(first, key, p, ds);
    work.keep(ds);
    __syncthreads();
    add_weighted<Tile::side, Tile::width>(work.scores, pitch_of(Tile::side), 1, work.key, sum);
  }
  store_rows<Tile::width>(o.dquery + index * o.queries * o.features, sum, first, o.queries,
                          o.features);
}

template <class T, class Tile>
__global__ void __launch_bounds__(tile_threads, 2)
    attention_key_grad_kernel(AttentionOperands<T> o, std::int64_t tiles) {
  if constexpr (!given_tiled<T>) return;
  using Sum = accumulator_t<T>;
  const std::int64_t index = blockIdx.x / tiles, first = blockIdx.x % tiles * Tile::side;
  const Work<T, Tile> work(o, index);
  work.load_keys(first);
  Sum key_sum[Tile::per_thread][Tile::width / tile_side] = {},
                                              value_sum[Tile::per_thread][Tile::width / tile_side] =
                                                  {};
  for (std::int64_t query = o.causal ? first : 0; query < o.queries; query += Tile::side) {
    __syncthreads();
    work.load_queries(query);
    __syncthreads();
    Sum p[Tile::per_thread][Tile::per_thread], ds[Tile::per_thread][Tile::per_thread];
    work.differentiate(query, first, p, ds);
    work.keep(p);
    __syncthreads();
    add_weighted<Tile::side, Tile::width>(work.scores, 1, pitch_of(Tile::side), work.g, value_sum);
    __syncthreads();
    work.keep(ds);
    __syncthreads();
    add_weighted<Tile::side, Tile::width>(work.scores, 1, pitch_of(Tile::side), work.query,
                                          key_sum);
  }
  if (o.dkey)
    store_rows<Tile::width>(o.dkey + index * o.keys * o.features, key_sum, first, o.keys,
                            o.features);
  if (o.dvalue)
    store_rows<Tile::width>(o.dvalue + index * o.keys * o.value_features, value_sum, first, o.keys,
                            o.value_features);
}

// ---- Launcher ---------------------------------------------------------------------------------

template <class T, int width>
void run(const AttentionOperands<T>& operands, Stream stream) {
  using Config = Tile<accumulator_t<T>, width>;
  const auto start = [&](const char* name, auto kernel, std::int64_t rows) {
    const std::int64_t tiles = (rows + Config::side - 1) / Config::side;
    launch(name, kernel,
           {.grid = {tiles * operands.batch.count},
            .block = {tile_threads},
            .shared_bytes = Config::bytes},
           stream, operands, tiles);
  };
  if (operands.dquery)
    start("attention_query_grad", attention_query_grad_kernel<T, Config>, operands.queries);
  if (operands.dkey || operands.dvalue)
    start("attention_key_grad", attention_key_grad_kernel<T, Config>, operands.keys);
}

}  // namespace

template <class T>
void attention_tiled_grad(const AttentionOperands<T>& operands, const AttentionConfig& config,
                          Stream stream) {
  if (config.width == 32) return run<T, 32>(operands, stream);
  if (config.width == 64) return run<T, 64>(operands, stream);
  if constexpr (sizeof(T) < 8) return run<T, 128>(operands, stream);
}

template void attention_tiled_grad<Half>(const AttentionOperands<Half>&, const AttentionConfig&,
                                         Stream);
template void attention_tiled_grad<BFloat16>(const AttentionOperands<BFloat16>&,
                                             const AttentionConfig&, Stream);
template void attention_tiled_grad<float>(const AttentionOperands<float>&, const AttentionConfig&,
                                          Stream);
template void attention_tiled_grad<double>(const AttentionOperands<double>&, const AttentionConfig&,
                                           Stream);

}  // namespace minidl::cuda
