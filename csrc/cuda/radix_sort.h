// Sorting numbers, and with each where it came from.
#pragma once

#include <cstdint>

#include "cuda/stream.h"

namespace minidl::cuda {

// Sorts keys[count] by their lowest `bits` bits, and order[count] along with them: equal keys keep
// their order. Two buffers of each take turns, the first holding the input; returned is the one
// that holds the result. `workspace` has radix_sort_workspace() elements. No two arrays share
// memory.
int radix_sort(unsigned* const (&keys)[2], unsigned* const (&order)[2], std::int64_t count,
               int bits, std::int64_t* workspace, Stream stream);

std::int64_t radix_sort_tiles(std::int64_t count);
std::int64_t radix_sort_workspace(std::int64_t count);

}  // namespace minidl::cuda
