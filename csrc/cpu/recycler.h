// Large blocks of memory that are kept after use and handed out again.
#pragma once

#include <cstddef>
#include <cstdint>

namespace minidl::cpu {

// Below this a block comes from malloc, which keeps small blocks itself.
inline constexpr size_t kRecycledBytes = 64 * 1024;

// At least `bytes` of uninitialised memory, aligned to 64; null where there is none.
void* take_block(size_t bytes);

// Gives back what take_block(bytes) returned. Kept, unless more than the limit would lie idle: then
// the blocks that have been idle longest go back to the system. The limit is 512 MiB, or the
// environment variable MINIDL_CPU_CACHE in MiB (0 keeps nothing).
void give_block(void* block, size_t bytes);

size_t idle_bytes();    // kept and not in use
void release_blocks();  // gives all idle blocks back to the system

}  // namespace minidl::cpu
