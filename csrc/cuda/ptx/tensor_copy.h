// Bulk tensor copies (TMA, sm_90): one thread moves a box of an array between global and shared
// memory by a tensor map (tensor_map.h). A load completes on an mbarrier with the bytes of the box;
// stores complete in groups, as cp.async does. Elements outside of the array read as 0 and are not
// written. Coordinates are those of the box's first element, innermost first.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <cstring>

#include "cuda/ptx/mbarrier.h"
#include "cuda/ptx/shared.h"
#include "cuda/tensor_map.h"

namespace minidl::cuda {

template <int rank>
struct BoxAt {
  int index[rank];
};

#ifdef MINIDL_EMULATOR
namespace host {

// Calls move(element in global memory or null, its place in shared memory) for every element of a
// box.
template <int rank, class Move>
void walk_box(const TensorMapSpec& map, std::byte* shared, BoxAt<rank> at, Move move) {
  const std::int64_t item = item_bytes(map.dtype);
  std::int64_t count = 1;
  for (int d = 0; d < rank; ++d) count *= map.box[d];
  const auto base = static_cast<std::size_t>(shared - emulator::shared_memory());
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t rest = i, offset = 0;
    bool inside = true;
    for (int d = 0; d < rank; ++d) {
      const std::int64_t index = at.index[d] + rest % map.box[d];
      inside &= 0 <= index && index < map.size[d];
      offset += index * (d == 0 ? item : map.stride[d]);
      rest /= map.box[d];
    }
    auto* global = const_cast<std::byte*>(static_cast<const std::byte*>(map.data)) + offset;
    const std::size_t place = swizzled(base + static_cast<std::size_t>(i * item), map.swizzle);
    move(inside ? global : nullptr, emulator::shared_memory() + place,
         static_cast<std::size_t>(item));
  }
}

template <int rank>
std::int64_t box_bytes(const TensorMapSpec& map, const void* shared, emulator::Place place) {
  std::int64_t bytes = item_bytes(map.dtype);
  if (map.rank != rank) emulator::fail(place, "has another rank than its tensor map");
  for (int d = 0; d < rank; ++d) bytes *= map.box[d];
  emulator::check_shared(shared, 16, place);
  const auto offset = static_cast<const std::byte*>(shared) - emulator::shared_memory();
  if (map.swizzle != Swizzle::none && offset % (128 << static_cast<int>(map.swizzle)) != 0)
    emulator::fail(place, "wants a box that is aligned to 8 rows of its swizzle");
  return bytes;
}

}  // namespace host

template <int rank>
void load_box(void* shared, const TensorMap& map, MBarrier* barrier, BoxAt<rank> at,
              const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  const TensorMapSpec spec = map.spec;
  const std::int64_t bytes = host::box_bytes<rank>(spec, shared, {"load_box", file, line});
  emulator::start_async([=] {
    host::walk_box<rank>(spec, static_cast<std::byte*>(shared), at,
                         [](const std::byte* global, std::byte* place, std::size_t item) {
                           const std::byte zeros[8] = {};
                           emulator::proxy_write(place, global ? global : zeros, item);
                         });
    emulator::mbarrier_complete(barrier, bytes);
  });
}

template <int rank>
void store_box(const TensorMap& map, const void* shared, BoxAt<rank> at,
               const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  const emulator::Place place{"store_box", file, line};
  const TensorMapSpec spec = map.spec;
  host::box_bytes<rank>(spec, shared, place);
  for (int d = 0; d < rank;
       ++d) {  // an H100 calls it an illegal instruction; loads may start there
    if (at.index[d] < 0) emulator::fail(place, "starts before the array");
  }
  emulator::start_store([=] {
    auto* from = const_cast<std::byte*>(static_cast<const std::byte*>(shared));
    host::walk_box<rank>(spec, from, at, [&](std::byte* global, std::byte* kept, std::size_t item) {
      emulator::check_fenced(kept, item, place);
      if (global) std::memcpy(global, kept, item);
    });
  });
}

inline void store_commit() { emulator::commit_stores(); }
template <int pending>
void store_wait_read() {
  emulator::wait_for_stores(pending);
}
template <int pending>
void store_wait() {
  emulator::wait_for_stores(pending);
}
inline void prefetch_map(const TensorMap&) {}
#else
// The map is a __grid_constant__ parameter; `shared` is aligned to 128 bytes, and to 8 rows of the
// map's swizzle.
template <int rank>
__device__ __forceinline__ void load_box(void* shared, const TensorMap& map, MBarrier* barrier,
                                         BoxAt<rank> at) {
  static_assert(rank == 2 || rank == 3, "the ranks that kernels use");
#if __CUDA_ARCH__ >= 900
  if constexpr (rank == 2) {
    asm volatile(
        "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
        "[%0], [%1, {%3, %4}], [%2];" ::"r"(shared_address(shared)),
        "l"(&map), "r"(shared_address(barrier)), "r"(at.index[0]), "r"(at.index[1])
        : "memory");
  } else {
    asm volatile(
        "cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
        "[%0], [%1, {%3, %4, %5}], [%2];" ::"r"(shared_address(shared)),
        "l"(&map), "r"(shared_address(barrier)), "r"(at.index[0]), "r"(at.index[1]),
        "r"(at.index[2])
        : "memory");
  }
#endif
}

// What ordinary stores wrote to `shared` must be fenced (proxy.h) and behind a barrier.
template <int rank>
__device__ __forceinline__ void store_box(const TensorMap& map, const void* shared,
                                          BoxAt<rank> at) {
  static_assert(rank == 2 || rank == 3, "the ranks that kernels use");
#if __CUDA_ARCH__ >= 900
  if constexpr (rank == 2) {
    asm volatile(
        "cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group [%0, {%2, %3}], [%1];" ::"l"(
            &map),
        "r"(shared_address(shared)), "r"(at.index[0]), "r"(at.index[1])
        : "memory");
  } else {
    asm volatile(
        "cp.async.bulk.tensor.3d.global.shared::cta.tile.bulk_group [%0, {%2, %3, %4}], [%1];" ::
            "l"(&map),
        "r"(shared_address(shared)), "r"(at.index[0]), "r"(at.index[1]), "r"(at.index[2])
        : "memory");
  }
#endif
}

__device__ __forceinline__ void store_commit() {
#if __CUDA_ARCH__ >= 900
  asm volatile("cp.async.bulk.commit_group;" ::: "memory");
#endif
}

// Waits until at most `pending` groups of this thread have yet to read shared memory, which may be
// written again.
template <int pending>
__device__ __forceinline__ void store_wait_read() {
#if __CUDA_ARCH__ >= 900
  asm volatile("cp.async.bulk.wait_group.read %0;" ::"n"(pending) : "memory");
#endif
}

// Waits until at most `pending` groups of this thread have yet to be written.
template <int pending>
__device__ __forceinline__ void store_wait() {
#if __CUDA_ARCH__ >= 900
  asm volatile("cp.async.bulk.wait_group %0;" ::"n"(pending) : "memory");
#endif
}

__device__ __forceinline__ void prefetch_map(const TensorMap& map) {
#if __CUDA_ARCH__ >= 900
  asm volatile("prefetch.tensormap [%0];" ::"l"(&map) : "memory");
#endif
}
#endif

}  // namespace minidl::cuda
