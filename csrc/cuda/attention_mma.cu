// Attention by tiles on tensor cores, for float16 and bfloat16 (sm_80 and later). A block keeps 64
// queries, 16 a warp, in registers; tiles of 64 keys and values pass through shared memory, the
// next keys on their way while the values are worked on, and the other way round. Scores never
// leave the registers: the fragments that mma leaves are those it takes.
#include "cuda/attention_fragments.h"
#include "cuda/launch.h"
#include "cuda/ptx/shared.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------

constexpr int mma_keys = 64;  // keys a tile

template <int width>
constexpr std::size_t shared_bytes = (mma_rows + 2 * mma_keys) * width * 2;
static_assert(shared_bytes<128> <= 48 * 1024, "the tiles must fit in shared memory");

// ---- Kernel -----------------------------------------------------------------------------------

// The softmax of a lane's two rows so far; scores are in units of ln 2, so that exp2 serves.
struct RunningRows {
  float largest[2] = {-INFINITY, -INFINITY}, total[2] = {0, 0};  // totals of the lane's own columns

  // Takes in scores, which become exponentials, and scales down what was summed before.
  template <int tiles, int outputs>
  __device__ __forceinline__ void take(float (&scores)[tiles][4], float (&out)[outputs][4]) {
    MINIDL_UNROLL
    for (int half = 0; half < 2; ++half) {
      float most = largest[half];
      MINIDL_UNROLL
      for (int n = 0; n < tiles; ++n) {
        MINIDL_UNROLL
        for (int e = 2 * half; e < 2 * half + 2; ++e)
          most = scores[n][e] > most || scores[n][e] != scores[n][e] ? scores[n][e] : most;
      }
      most = quad_max(most);
      const float offset = most == -INFINITY ? 0.0f : most;
      const float shrink = std::exp2(largest[half] - offset);
      largest[half] = most;
      total[half] *= shrink;
      MINIDL_UNROLL
      for (int n = 0; n < outputs; ++n) {
        out[n][2 * half] *= shrink;
        out[n][2 * half + 1] *= shrink;
      }
      MINIDL_UNROLL
      for (int n = 0; n < tiles; ++n) {
        MINIDL_UNROLL
        for (int e = 2 * half; e < 2 * half + 2; ++e) {
          scores[n][e] = std::exp2(scores[n][e] - offset);
          total[half] += scores[n][e];
        }
      }
    }
  }
};

// Scales products of features to scores in units of ln 2; -infinity where a query does not look.
template <class T, int tiles>
__device__ __forceinline__ void finish_scores(const AttentionOperands<T>& o, const T* bias,
                                              float (&scores)[tiles][4], std::int64_t first,
                                              std::int64_t key, bool edge) {
  MINIDL_UNROLL
  for (int n = 0; n < tiles; ++n) {
    MINIDL_UNROLL
    for (int e = 0; e < 4; ++e) {
      scores[n][e] *= o.scale * log2_e;
      if (!edge) continue;  // the same for the whole block
      const std::int64_t q = first + row_of(e), k = key + 8 * n + column_of(e);
      const bool seen = sees(o, q, k);
      if (bias && seen)
        scores[n][e] +=
            log2_e *
            static_cast<float>(bias[q * o.strides[in_bias].row + k * o.strides[in_bias].column]);
      if (!seen) scores[n][e] = -INFINITY;
    }
  }
}

template <class T, int width>
__device__ __forceinline__ void finish(const AttentionOperands<T>& o, std::int64_t index,
                                       std::int64_t first, RunningRows& rows,
                                       float (&out)[width / 8][4]) {
  MINIDL_UNROLL
  for (int half = 0; half < 2; ++half) {
    const float total = quad_sum(rows.total[half]);
    const bool blind = total == 0.0f;
    const float share = blind ? 0.0f : 1.0f / total;
    MINIDL_UNROLL
    for (int n = 0; n < width / 8; ++n) {
      out[n][2 * half] = blind ? 0.0f : out[n][2 * half] * share;
      out[n][2 * half + 1] = blind ? 0.0f : out[n][2 * half + 1] * share;
    }
    const std::int64_t query = first + row_of(2 * half);
    if (threadIdx.x % 4 == 0 && query < o.queries)
      o.lse[index * o.queries + query] =
          blind ? -INFINITY : rows.largest[half] * ln_2 + std::log(total);
  }
  store_sums<width>(o.out + index * o.queries * o.value_features, out, first, o.queries,
                    o.value_features);
}

template <class T, int width>
__global__ void __launch_bounds__(mma_block)
    attention_mma_kernel(AttentionOperands<T> o, std::int64_t tiles) {
  if constexpr (!given_mma) return;
  T* query_tile = dynamic_shared<T>();
  T* key_tile = query_tile + mma_rows * width;
  T* value_tile = key_tile + mma_keys * width;
  const std::int64_t index = blockIdx.x / tiles;
  const std::int64_t first = (tiles - 1 - blockIdx.x % tiles) * mma_rows;  // the longest rows first
  const auto at = o.batch.at(index);
  const T* bias = o.input[in_bias] ? o.input[in_bias] + at.in[in_bias] : nullptr;
  const auto load = [&](T* tile, AttentionInput n, std::int64_t row, std::int64_t rows,
                        std::int64_t columns) {
    load_half_tile<mma_keys, width>(tile, o.input[n] + at.in[n] + row * o.strides[n].row,
                                    o.strides[n], o.packed[n], rows - row, columns);
    cp_async_commit();
  };
  load(query_tile, in_query, first, o.queries, o.features);
  load(key_tile, in_key, 0, o.keys, o.features);

  RunningRows rows;
  float out[width / 8][4] = {};
  const std::int64_t last = first + mma_rows;
  const std::int64_t keys = o.causal && last < o.keys ? last : o.keys;
  for (std::int64_t key = 0; key < keys; key += mma_keys) {
    load(value_tile, in_value, key, o.keys, o.value_features);
    cp_async_wait<1>();  // the keys are there
    __syncthreads();
    float scores[mma_keys / 8][4];
    multiply_tiles<width>(scores, query_tile, key_tile);
    __syncthreads();
    load(key_tile, in_key, key + mma_keys, o.keys, o.features);
    const bool edge =
        bias || last > o.queries || key + mma_keys > o.keys || (o.causal && key + mma_keys > first);
    finish_scores(o, bias, scores, first, key, edge);
    rows.take(scores, out);
    cp_async_wait<1>();  // the values are there
    __syncthreads();
    add_products<width>(out, scores, value_tile);
    __syncthreads();
  }
  cp_async_wait_all();
  finish<T, width>(o, index, first, rows, out);
}

// ---- Launcher ---------------------------------------------------------------------------------

template <class T, int width>
void run(const AttentionOperands<T>& operands, Stream stream) {
  const std::int64_t tiles = (operands.queries + mma_rows - 1) / mma_rows;
  launch("attention_mma", attention_mma_kernel<T, width>,
         {.grid = {tiles * operands.batch.count},
          .block = {mma_block},
          .shared_bytes = shared_bytes<width>},
         stream, operands, tiles);
}

}  // namespace

template <class T>
void attention_mma(const AttentionOperands<T>& operands, const AttentionConfig& config,
                   Stream stream) {
  if (config.width == 32) return run<T, 32>(operands, stream);
  if (config.width == 64) return run<T, 64>(operands, stream);
  run<T, 128>(operands, stream);
}

template void attention_mma<Half>(const AttentionOperands<Half>&, const AttentionConfig&, Stream);
template void attention_mma<BFloat16>(const AttentionOperands<BFloat16>&, const AttentionConfig&,
                                      Stream);

}  // namespace minidl::cuda
