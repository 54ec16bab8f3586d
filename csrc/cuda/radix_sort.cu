// Least significant digit first, eight bits a pass. A warp owns a tile of neighbouring entries and
// never waits for another one: it counts the digits of its tile; a scan over all counts says where
// each tile's entries of each digit go; the warp moves them there. In a round of 32 entries, those
// of one digit find each other by votes, and keep the order of their lanes: the sort is stable.
#include "cuda/radix_sort.h"

#include <bit>

#include "cuda/launch.h"
#include "cuda/ptx/shared.h"
#include "cuda/ptx/warp.h"
#include "cuda/scan.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------

constexpr int digit_bits = 8, digits = 1 << digit_bits;
constexpr int tile = 16 * warp_size;  // entries of a warp
constexpr int warps = 4;              // of a block

// ---- Kernel -----------------------------------------------------------------------------------

// What counters[digit] was, plus the lanes before this one with the same digit; the counter moves
// on by all of them. Inactive lanes only vote.
__device__ __forceinline__ unsigned rank(unsigned digit, bool active, unsigned* counters,
                                         int lane) {
  unsigned peers = ballot(active);
  for (int bit = 0; bit < digit_bits; ++bit) {
    const bool set = digit >> bit & 1u;
    const unsigned vote = ballot(set);
    peers &= set ? vote : ~vote;
  }
  const unsigned before = counters[digit];
  sync_warp();
  const bool last = active && peers >> lane == 1;
  if (last) counters[digit] = before + static_cast<unsigned>(std::popcount(peers));
  sync_warp();
  return before + static_cast<unsigned>(std::popcount(peers & ((1u << lane) - 1)));
}

struct Pass {
  const unsigned *keys, *order;
  unsigned *sorted_keys, *sorted_order;
  std::int64_t count, tiles;
  int shift;
};

// counts[digit][tile]
__global__ void __launch_bounds__(warps* warp_size)
    radix_count_kernel(Pass p, std::int64_t* counts) {
  const int lane = static_cast<int>(threadIdx.x), warp = static_cast<int>(threadIdx.y);
  const std::int64_t own = blockIdx.x * static_cast<std::int64_t>(warps) + warp;
  if (own >= p.tiles) return;
  unsigned* counters = dynamic_shared<unsigned>() + warp * digits;
  for (int d = lane; d < digits; d += warp_size) counters[d] = 0;
  sync_warp();
  for (int first = 0; first < tile; first += warp_size) {
    const std::int64_t i = own * tile + first + lane;
    const bool active = i < p.count;
    rank(active ? p.keys[i] >> p.shift & (digits - 1) : 0, active, counters, lane);
  }
  for (int d = lane; d < digits; d += warp_size) counts[d * p.tiles + own] = counters[d];
}

// places[digit][tile]: the counts up to and with this one
__global__ void __launch_bounds__(warps* warp_size)
    radix_move_kernel(Pass p, const std::int64_t* places) {
  const int lane = static_cast<int>(threadIdx.x), warp = static_cast<int>(threadIdx.y);
  const std::int64_t own = blockIdx.x * static_cast<std::int64_t>(warps) + warp;
  if (own >= p.tiles) return;
  unsigned* counters = dynamic_shared<unsigned>() + warp * digits;
  for (int d = lane; d < digits; d += warp_size) {
    const std::int64_t flat = d * p.tiles + own;
    counters[d] = flat == 0 ? 0u : static_cast<unsigned>(places[flat - 1]);
  }
  sync_warp();
  for (int first = 0; first < tile; first += warp_size) {
    const std::int64_t i = own * tile + first + lane;
    const bool active = i < p.count;
    const unsigned key = active ? p.keys[i] : 0;
    const unsigned to = rank(key >> p.shift & (digits - 1), active, counters, lane);
    if (!active) continue;  // the last lanes of the last tile: only what they vote matters
    p.sorted_keys[to] = key;
    p.sorted_order[to] = p.order[i];
  }
}

// ---- Launcher ---------------------------------------------------------------------------------

Array words(std::int64_t* data, std::int64_t count) { return {data, DType::int64, {count}, {1}}; }

}  // namespace

std::int64_t radix_sort_tiles(std::int64_t count) { return (count + tile - 1) / tile; }

std::int64_t radix_sort_workspace(std::int64_t count) {
  const std::int64_t counters = radix_sort_tiles(count) * digits;
  return 2 * counters + scan_workspace(words(nullptr, counters), 0);
}

int radix_sort(unsigned* const (&keys)[2], unsigned* const (&order)[2], std::int64_t count,
               int bits, std::int64_t* workspace, Stream stream) {
  const std::int64_t tiles = radix_sort_tiles(count), counters = tiles * digits;
  const Array counts = words(workspace, counters), places = words(workspace + counters, counters);
  const Array scan_space{
      workspace + 2 * counters, DType::float64, {radix_sort_workspace(count) - 2 * counters}, {1}};
  const LaunchShape shape{.grid = {(tiles + warps - 1) / warps},
                          .block = {warp_size, warps},
                          .shared_bytes = warps * digits * sizeof(unsigned)};
  int now = 0;
  for (int shift = 0; shift < bits; shift += digit_bits, now ^= 1) {
    const Pass pass{keys[now], order[now], keys[now ^ 1], order[now ^ 1], count, tiles, shift};
    launch("radix_count", radix_count_kernel, shape, stream, pass, counts.as<std::int64_t>());
    scan(Scan::sum, counts, 0, places, nullptr, &scan_space, stream);
    launch("radix_move", radix_move_kernel, shape, stream, pass, places.as<const std::int64_t>());
  }
  return now;
}

}  // namespace minidl::cuda
