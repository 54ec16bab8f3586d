#include "cuda/pool_layout.h"

#include <algorithm>
#include <cstdlib>

#include "cuda/images.h"

namespace minidl::cuda {

Size3 pool_sizes(const char* name, const std::vector<std::int64_t>& sizes, int dimensions,
                 std::int64_t absent) {
  MINIDL_CHECK(static_cast<int>(sizes.size()) == dimensions, name, " ", spell(sizes),
               " must have an entry for each of the ", dimensions, " spatial dimensions");
  Size3 result;
  for (int d = 0; d < 3; ++d) {
    const int given = d - (3 - dimensions);
    result.at[d] = image_coordinate(name, given < 0 ? absent : sizes[given]);
  }
  return result;
}

Size3 size_of_volume(const Array& array) {
  Size3 size;
  for (int d = 0; d < 3; ++d) size.at[d] = image_coordinate("a size", array.shape[2 + d]);
  return size;
}

PoolStrides pool_strides(const Array& array) {
  const auto& s = array.strides;
  return {s[0], s[1], {s[2], s[3], s[4]}};
}

bool neighbouring_channels(const Array& array) {
  return array.shape[1] > 1 && std::abs(array.strides[1]) < std::abs(array.strides[4]);
}

Divider pool_divider(std::int64_t size) {
  return Divider(static_cast<int>(std::max<std::int64_t>(size, 1)));
}

PoolOrder pool_order(const Array& array) {
  const auto& n = array.shape;
  const std::int64_t inner = neighbouring_channels(array) ? n[1] : 1;
  // Step by step, so that no product overflows.
  std::int64_t elements = inner;
  for (int d = 2; d < 5; ++d) {
    elements *= image_coordinate("a size", n[d]);
    image_coordinate("the number of elements of an image", elements);
  }
  const std::int64_t channels = inner == 1 ? std::max<std::int64_t>(n[1], 1) : 1;
  return {.planes = inner == 1 ? n[0] * n[1] : n[0],
          .channels = static_cast<unsigned>(image_coordinate("the number of channels", channels)),
          .blocks = static_cast<unsigned>((elements + pool_threads - 1) / pool_threads),
          .elements = static_cast<int>(elements),
          .inner = pool_divider(inner),
          .rows = pool_divider(n[3]),
          .columns = pool_divider(n[4])};
}

}  // namespace minidl::cuda
