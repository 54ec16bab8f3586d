#include "cuda/pool_layout.h"

#include <algorithm>
#include <cstdlib>

#include "cuda/images.h"
#include "cuda/pack.h"

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

namespace {

// Whether `pack` channels of every pixel can be read at once.
bool packs_fit(const Array& array, int pack) {
  if (!neighbouring_channels(array) || array.strides[1] != 1 || array.shape[1] % pack != 0)
    return false;
  for (int axis = 0; axis < 5; ++axis) {
    if (axis != 1 && array.shape[axis] > 1 && array.strides[axis] % pack != 0) return false;
  }
  return is_aligned(array.as<char>(), static_cast<std::size_t>(pack * item_bytes(array.dtype)));
}

}  // namespace

int pool_pack(const Array& array, DType values) {
  const std::int64_t bytes = item_bytes(values);
  const int pack = static_cast<int>(pack_bytes / bytes);
  const bool known = bytes < 8 && (array.dtype == values || array.dtype == DType::uint8);
  return known && packs_fit(array, pack) ? pack : 1;
}

PoolOrder pool_order(const Array& array, int pack) {
  const auto& n = array.shape;
  const bool pixels = neighbouring_channels(array);
  const std::int64_t inner = pixels ? n[1] / pack : 1;
  // Step by step, so that no product overflows.
  std::int64_t elements = inner;
  for (int d = 2; d < 5; ++d) {
    elements *= image_coordinate("a size", n[d]);
    image_coordinate("the number of elements of an image", elements);
  }
  const std::int64_t channels = pixels ? 1 : std::max<std::int64_t>(n[1], 1);
  return {.planes = pixels ? n[0] : n[0] * n[1],
          .channels = static_cast<unsigned>(image_coordinate("the number of channels", channels)),
          .blocks = static_cast<unsigned>((elements + pool_threads - 1) / pool_threads),
          .elements = static_cast<int>(elements),
          .inner = pool_divider(inner),
          .rows = pool_divider(n[3]),
          .columns = pool_divider(n[4]),
          .pack = pack};
}

}  // namespace minidl::cuda
