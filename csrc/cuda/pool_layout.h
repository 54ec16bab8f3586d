// From the arrays of a pooling to what its kernels take.
#pragma once

#include "cuda/pool.h"
#include "cuda/pool_kernels.h"

namespace minidl::cuda {

// An entry for each of three dimensions, `absent` for those in front that were not given.
Size3 pool_sizes(const char* name, const std::vector<std::int64_t>& sizes, int dimensions,
                 std::int64_t absent);

Size3 size_of_volume(const Array& array);      // the last three axes
PoolStrides pool_strides(const Array& array);  // of [N, C, D, H, W]
Divider pool_divider(std::int64_t size);       // by 1 where there is nothing to divide
bool neighbouring_channels(const Array& array);

// In which threads go through [N, C, D, H, W], each taking `pack` neighbouring channels.
PoolOrder pool_order(const Array& array, int pack = 1);

// How many channels of `array`, of values or of their offsets, a thread may take at once: 16 bytes
// of values, or 1.
int pool_pack(const Array& array, DType values);

}  // namespace minidl::cuda
