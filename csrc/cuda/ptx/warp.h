// Exchanges between the 32 lanes of a warp. All lanes must take part: a block that uses these has a
// multiple of 32 threads, and no branch around them may differ within a warp.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <cstring>

namespace minidl::cuda {

inline constexpr int warp_size = 32;
inline constexpr std::uint32_t all_lanes = 0xFFFFFFFFu;

#ifdef MINIDL_EMULATOR
namespace host {

template <class T>
T shuffle(T value, unsigned source, emulator::Place place) {
  static_assert(sizeof(T) <= sizeof(std::uint64_t), "a lane exchanges at most 8 bytes");
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  bits = emulator::exchange(emulator::Exchange::shuffle, all_lanes, bits, source, place);
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

inline unsigned lane() {
  const emulator::Position& at = *emulator::position;
  return (at.thread.x + at.block_dim.x * (at.thread.y + at.block_dim.y * at.thread.z)) % warp_size;
}

}  // namespace host

// The value that lane `own lane ^ mask` brought.
template <class T>
T shuffle_xor(T value, int mask, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  return host::shuffle(value, host::lane() ^ static_cast<unsigned>(mask),
                       {"shuffle_xor", file, line});
}

// The value that lane `own lane + delta` brought; the own value where there is no such lane.
template <class T>
T shuffle_down(T value, unsigned delta, const char* file = __builtin_FILE(),
               int line = __builtin_LINE()) {
  const unsigned source = host::lane() + delta;
  return host::shuffle(value, source < warp_size ? source : host::lane(),
                       {"shuffle_down", file, line});
}

// The value that lane `own lane - delta` brought; the own value where there is no such lane.
template <class T>
T shuffle_up(T value, unsigned delta, const char* file = __builtin_FILE(),
             int line = __builtin_LINE()) {
  const unsigned lane = host::lane();
  return host::shuffle(value, lane >= delta ? lane - delta : lane, {"shuffle_up", file, line});
}

// The value that lane `source` brought; the lanes count from 0 to 31 and around.
template <class T>
T shuffle(T value, int source, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  return host::shuffle(value, static_cast<unsigned>(source) % warp_size, {"shuffle", file, line});
}

// Waits for the other lanes; what they wrote to memory before is seen after.
inline void sync_warp(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  emulator::exchange(emulator::Exchange::ballot, all_lanes, 0, 0, {"sync_warp", file, line});
}

// A bit for each lane whose `vote` is true.
inline std::uint32_t ballot(bool vote, const char* file = __builtin_FILE(),
                            int line = __builtin_LINE()) {
  return static_cast<std::uint32_t>(
      emulator::exchange(emulator::Exchange::ballot, all_lanes, vote, 0, {"ballot", file, line}));
}
#elif defined(__CUDACC__)
template <class T>
__device__ __forceinline__ T shuffle_xor(T value, int mask) {
  return __shfl_xor_sync(all_lanes, value, mask);
}

template <class T>
__device__ __forceinline__ T shuffle_down(T value, unsigned delta) {
  return __shfl_down_sync(all_lanes, value, delta);
}

template <class T>
__device__ __forceinline__ T shuffle_up(T value, unsigned delta) {
  return __shfl_up_sync(all_lanes, value, delta);
}

template <class T>
__device__ __forceinline__ T shuffle(T value, int source) {
  return __shfl_sync(all_lanes, value, source);
}

__device__ __forceinline__ void sync_warp() { __syncwarp(all_lanes); }

__device__ __forceinline__ std::uint32_t ballot(bool vote) {
  return __ballot_sync(all_lanes, vote);
}
#endif

// The sum over the warp, in every lane; always added in the same order.
template <class T>
__device__ __forceinline__ T warp_sum(T value) {
  for (int mask = warp_size / 2; mask > 0; mask /= 2) value += shuffle_xor(value, mask);
  return value;
}

// The largest over the warp, in every lane; NaN where a lane has one.
template <class T>
__device__ __forceinline__ T warp_max(T value) {
  for (int mask = warp_size / 2; mask > 0; mask /= 2) {
    const T other = shuffle_xor(value, mask);
    value = other > value || other != other ? other : value;
  }
  return value;
}

}  // namespace minidl::cuda
