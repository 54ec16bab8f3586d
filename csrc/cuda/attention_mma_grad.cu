// Gradients of attention on tensor cores, for float16 and bfloat16 (sm_80 and later), by the
// equations of attention_tiled_grad.cu. One kernel serves both sides: a block owns 64 rows, which
// are queries (with their g) or keys (with their values), and the other side passes by in tiles.
// Probabilities and their gradients stay in registers.
#include "cuda/attention_fragments.h"
#include "cuda/launch.h"
#include "cuda/ptx/shared.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------

enum class Side { queries, keys };

template <int width_>
struct Tile {
  static constexpr int width = width_;
  static constexpr int others = width == 128 ? 32 : 64;  // rows of the other side at a time
  static constexpr int own_elements = mma_rows * width, other_elements = others * width;
  static constexpr std::size_t bytes = 2 * (own_elements + other_elements) * 2;
  static_assert(bytes <= 48 * 1024, "the tiles must fit in shared memory");
};

// ---- Kernel -----------------------------------------------------------------------------------

// Two inputs with rows of one side: queries with g, or keys with values.
template <int rows, int width, class T>
__device__ __forceinline__ void load_side(T* features, T* values, const AttentionOperands<T>& o,
                                          const Offsets<attention_inputs>& at, Side side,
                                          std::int64_t first) {
  const bool queries = side == Side::queries;
  const AttentionInput x = queries ? in_query : in_key, y = queries ? in_g : in_value;
  const std::int64_t left = (queries ? o.queries : o.keys) - first;
  load_half_tile<rows, width>(features, o.input[x] + at.in[x] + first * o.strides[x].row,
                              o.strides[x], o.packed[x], left, o.features);
  load_half_tile<rows, width>(values, o.input[y] + at.in[y] + first * o.strides[y].row,
                              o.strides[y], o.packed[y], left, o.value_features);
}

// From products of features and of values to probabilities p and their gradients ds.
template <Side side, class T, int tiles>
__device__ __forceinline__ void differentiate(const AttentionOperands<T>& o, std::int64_t index,
                                              const T* bias, std::int64_t own, std::int64_t other,
                                              float (&p)[tiles][4], float (&ds)[tiles][4]) {
  MINIDL_UNROLL
  for (int n = 0; n < tiles; ++n) {
    MINIDL_UNROLL
    for (int e = 0; e < 4; ++e) {
      const std::int64_t row = own + row_of(e), column = other + 8 * n + column_of(e);
      const std::int64_t query = side == Side::queries ? row : column;
      const std::int64_t key = side == Side::queries ? column : row;
      if (!sees(o, query, key)) {
        p[n][e] = ds[n][e] = 0.0f;
        continue;
      }
      float score = p[n][e] * o.scale;
      if (bias)
        score += static_cast<float>(
            bias[query * o.strides[in_bias].row + key * o.strides[in_bias].column]);
      const float lse = o.lse[index * o.queries + query];
      p[n][e] = score == -INFINITY ? 0.0f : std::exp2((score - lse) * log2_e);
      ds[n][e] = p[n][e] * (ds[n][e] - o.delta[index * o.queries + query]) * o.scale;
    }
  }
}

template <Side side, class T, class Tile>
__global__ void __launch_bounds__(mma_block, 2)
    attention_mma_grad_kernel(AttentionOperands<T> o, std::int64_t tiles) {
  if constexpr (!given_mma) return;
  constexpr int width = Tile::width;
  constexpr Side opposite = side == Side::queries ? Side::keys : Side::queries;
  T* own_features = dynamic_shared<T>();
  T* own_values = own_features + Tile::own_elements;
  T* features = own_values + Tile::own_elements;
  T* values = features + Tile::other_elements;
  const std::int64_t index = blockIdx.x / tiles, first = blockIdx.x % tiles * mma_rows;
  const auto at = o.batch.at(index);
  const T* bias = o.input[in_bias] ? o.input[in_bias] + at.in[in_bias] : nullptr;

  load_side<mma_rows, width>(own_features, own_values, o, at, side, first);
  float feature_sum[width / 8][4] = {}, value_sum[width / 8][4] = {};
  // Query i looks at keys up to i: queries want keys before their end, keys want queries from their
  // start on.
  const std::int64_t count = side == Side::queries ? o.keys : o.queries;
  const std::int64_t begin = o.causal && side == Side::keys ? first : 0;
  const std::int64_t end =
      o.causal && side == Side::queries && first + mma_rows < count ? first + mma_rows : count;
  for (std::int64_t other = begin; other < end; other += Tile::others) {
    load_side<Tile::others, width>(features, values, o, at, opposite, other);
    cp_async_commit();
    cp_async_wait_all();
    __syncthreads();
    float p[Tile::others / 8][4], ds[Tile::others / 8][4];
    multiply_tiles<width>(p, own_features, features);
    multiply_tiles<width>(ds, own_values, values);
    differentiate<side>(o, index, bias, first, other, p, ds);
    add_products<width>(feature_sum, ds, features);
    if constexpr (side == Side::keys) add_products<width>(value_sum, p, values);
    __syncthreads();
  }
  cp_async_wait_all();
  if constexpr (side == Side::queries) {
    store_sums<width>(o.dquery + index * o.queries * o.features, feature_sum, first, o.queries,
                      o.features);
  } else {
    if (o.dkey)
      store_sums<width>(o.dkey + index * o.keys * o.features, feature_sum, first, o.keys,
                        o.features);
    if (o.dvalue)
      store_sums<width>(o.dvalue + index * o.keys * o.value_features, value_sum, first, o.keys,
                        o.value_features);
  }
}

// ---- Launcher ---------------------------------------------------------------------------------

template <Side side, class T, int width>
void start(const char* name, const AttentionOperands<T>& operands, std::int64_t rows,
           Stream stream) {
  const std::int64_t tiles = (rows + mma_rows - 1) / mma_rows;
  launch(name, attention_mma_grad_kernel<side, T, Tile<width>>,
         {.grid = {tiles * operands.batch.count},
          .block = {mma_block},
          .shared_bytes = Tile<width>::bytes},
         stream, operands, tiles);
}

template <class T, int width>
void run(const AttentionOperands<T>& operands, Stream stream) {
  if (operands.dquery)
    start<Side::queries, T, width>("attention_mma_query_grad", operands, operands.queries, stream);
  if (operands.dkey || operands.dvalue)
    start<Side::keys, T, width>("attention_mma_key_grad", operands, operands.keys, stream);
}

}  // namespace

template <class T>
void attention_mma_grad(const AttentionOperands<T>& operands, const AttentionConfig& config,
                        Stream stream) {
  if (config.width == 32) return run<T, 32>(operands, stream);
  if (config.width == 64) return run<T, 64>(operands, stream);
  run<T, 128>(operands, stream);
}

template void attention_mma_grad<Half>(const AttentionOperands<Half>&, const AttentionConfig&,
                                       Stream);
template void attention_mma_grad<BFloat16>(const AttentionOperands<BFloat16>&,
                                           const AttentionConfig&, Stream);

}  // namespace minidl::cuda
