// Attention by tiles, without tensor cores: a block keeps a tile of queries and their outputs;
// tiles of keys and values pass by. Each row's largest score and sum of exponentials are kept up to
// date, and what was summed before is scaled down when a larger score appears.
#include "cuda/attention_tile.h"
#include "cuda/launch.h"
#include "cuda/ptx/shared.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------

// Queries and keys a tile; all three tiles in the 48 KiB that every GPU has.
template <class Sum, int width_>
struct Tile {
  static constexpr int width = width_;
  static constexpr bool wide = sizeof(Sum) == 8 || width == 128;
  static constexpr int queries = wide ? 32 : 64, keys = 32;
  static constexpr int per_row = queries / tile_side, per_column = keys / tile_side;
  static constexpr int query_elements = queries * pitch_of(width),
                       key_elements = keys * pitch_of(width),
                       weight_elements = queries * pitch_of(keys);
  static constexpr std::size_t bytes =
      (query_elements + key_elements + weight_elements) * sizeof(Sum);
  static_assert(bytes <= 48 * 1024, "the tiles must fit in shared memory");
};

// ---- Kernel -----------------------------------------------------------------------------------

// One row's softmax so far.
template <class Sum>
struct Running {
  Sum largest = -Sum(INFINITY), total = Sum(0);

  // Takes in scores, which become exponentials; returns what earlier sums are to be multiplied
  // with.
  template <int count>
  __device__ __forceinline__ Sum take(Sum (&scores)[count]) {
    Sum most = scores[0];
    MINIDL_UNROLL
    for (int j = 1; j < count; ++j)
      most = scores[j] > most || scores[j] != scores[j] ? scores[j] : most;
    most = row_max(most);
    most = most > largest || most != most ? most : largest;
    const Sum offset = most == -Sum(INFINITY) ? Sum(0) : most;
    const Sum shrink = std::exp(largest - offset);
    Sum sum = Sum(0);
    MINIDL_UNROLL
    for (int j = 0; j < count; ++j) {
      scores[j] = std::exp(scores[j] - offset);
      sum += scores[j];
    }
    total = total * shrink + row_sum(sum);
    largest = most;
    return shrink;
  }
};

// Divides by the sums of exponentials and writes the tile's outputs and logarithms.
template <class T, class Tile, class Sum>
__device__ __forceinline__ void finish(const AttentionOperands<T>& o, std::int64_t index,
                                       std::int64_t first,
                                       const Running<Sum> (&rows)[Tile::per_row],
                                       Sum (&out)[Tile::per_row][Tile::width / tile_side]) {
  const int y = threadIdx.x / tile_side, x = threadIdx.x % tile_side;
  MINIDL_UNROLL
  for (int i = 0; i < Tile::per_row; ++i) {
    const std::int64_t query = first + y + i * tile_side;
    const bool blind = rows[i].total == Sum(0);
    MINIDL_UNROLL
    for (int j = 0; j < Tile::width / tile_side; ++j)
      out[i][j] = blind ? Sum(0) : out[i][j] / rows[i].total;
    if (x == 0 && query < o.queries)
      o.lse[index * o.queries + query] =
          blind ? -Sum(INFINITY) : rows[i].largest + std::log(rows[i].total);
  }
  store_rows<Tile::width>(o.out + index * o.queries * o.value_features, out, first, o.queries,
                          o.value_features);
}

template <class T, class Tile>
__global__ void __launch_bounds__(tile_threads, 2)
    attention_tiled_kernel(AttentionOperands<T> o, std::int64_t tiles) {
  if constexpr (!given_tiled<T>) return;
  using Sum = accumulator_t<T>;
  Sum* query_tile = dynamic_shared<Sum>();
  Sum* key_tile = query_tile + Tile::query_elements;  // values take its place
  Sum* weights = key_tile + Tile::key_elements;
  const std::int64_t index = blockIdx.x / tiles, first = blockIdx.x % tiles * Tile::queries;
  const auto at = o.batch.at(index);
  const T* bias = o.input[in_bias] ? o.input[in_bias] + at.in[in_bias] : nullptr;
  const int y = threadIdx.x / tile_side, x = threadIdx.x % tile_side;

  load_tile<Tile::queries, Tile::width>(
      query_tile, o.input[in_query] + at.in[in_query] + first * o.strides[in_query].row,
      o.strides[in_query], o.queries - first, o.features);
  Running<Sum> rows[Tile::per_row];
  Sum out[Tile::per_row][Tile::width / tile_side] = {};
  const std::int64_t last = first + Tile::queries;  // queries before it look at keys before it
  const std::int64_t keys = o.causal && last < o.keys ? last : o.keys;
  for (std::int64_t key = 0; key < keys; key += Tile::keys) {
    __syncthreads();
    load_tile<Tile::keys, Tile::width>(
        key_tile, o.input[in_key] + at.in[in_key] + key * o.strides[in_key].row, o.strides[in_key],
        o.keys - key, o.features);
    __syncthreads();
    Sum scores[Tile::per_row][Tile::per_column];
    multiply_rows<Tile::width>(query_tile, key_tile, scores);
    MINIDL_UNROLL
    for (int i = 0; i < Tile::per_row; ++i) {
      const int row = y + i * tile_side;
      MINIDL_UNROLL
      for (int j = 0; j < Tile::per_column; ++j)
        scores[i][j] = score(o, bias, scores[i][j], first + row, key + x + j * tile_side);
      const Sum shrink = rows[i].take(scores[i]);
      MINIDL_UNROLL
      for (int j = 0; j < Tile::width / tile_side; ++j) out[i][j] *= shrink;
      MINIDL_UNROLL
      for (int j = 0; j < Tile::per_column; ++j)
        weights[row * pitch_of(Tile::keys) + x + j * tile_side] = scores[i][j];
    }
    __syncthreads();
    load_tile<Tile::keys, Tile::width>(
        key_tile, o.input[in_value] + at.in[in_value] + key * o.strides[in_value].row,
        o.strides[in_value], o.keys - key, o.value_features);
    __syncthreads();
    add_weighted<Tile::keys, Tile::width>(weights, pitch_of(Tile::keys), 1, key_tile, out);
  }

  finish<T, Tile>(o, index, first, rows, out);
}

// ---- Launcher ---------------------------------------------------------------------------------

template <class T, int width>
void run(const AttentionOperands<T>& operands, Stream stream) {
  using Config = Tile<accumulator_t<T>, width>;
  const std::int64_t tiles = (operands.queries + Config::queries - 1) / Config::queries;
  launch("attention_tiled", attention_tiled_kernel<T, Config>,
         {.grid = {tiles * operands.batch.count},
          .block = {tile_threads},
          .shared_bytes = Config::bytes},
         stream, operands, tiles);
}

}  // namespace

template <class T>
void attention_tiled(const AttentionOperands<T>& operands, const AttentionConfig& config,
                     Stream stream) {
  if (config.width == 32) return run<T, 32>(operands, stream);
  if (config.width == 64) return run<T, 64>(operands, stream);
  if constexpr (sizeof(T) < 8) return run<T, 128>(operands, stream);
}

template void attention_tiled<Half>(const AttentionOperands<Half>&, const AttentionConfig&, Stream);
template void attention_tiled<BFloat16>(const AttentionOperands<BFloat16>&, const AttentionConfig&,
                                        Stream);
template void attention_tiled<float>(const AttentionOperands<float>&, const AttentionConfig&,
                                     Stream);
template void attention_tiled<double>(const AttentionOperands<double>&, const AttentionConfig&,
                                      Stream);

}  // namespace minidl::cuda
