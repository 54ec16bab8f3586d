#include "cuda/pool_layout.h"

#include <algorithm>
#include <cstdlib>

namespace minidl::cuda {

int pool_coordinate(const char* what, std::int64_t value) {
  constexpr std::int64_t limit = std::int64_t{1} << 30;
  MINIDL_CHECK_AS(NotSupported, -limit < value && value < limit, "pooling: ", what, " = ", value,
                  " is beyond the limit of ", limit, " on a GPU");
  return static_cast<int>(value);
}

Array with_three_dimensions(const char* name, const Array& array) {
  MINIDL_CHECK(3 <= array.rank() && array.rank() <= 5, name,
               " must have 3, 4 or 5 dimensions, got shape ", spell(array.shape));
  Array result = array;
  const int missing = 5 - array.rank();
  result.shape.insert(result.shape.begin() + 2, missing, 1);
  result.strides.insert(result.strides.begin() + 2, missing, 0);
  return result;
}

Size3 pool_sizes(const char* name, const std::vector<std::int64_t>& sizes, int dimensions,
                 std::int64_t absent) {
  MINIDL_CHECK(static_cast<int>(sizes.size()) == dimensions, name, " ", spell(sizes),
               " must have an entry for each of the ", dimensions, " spatial dimensions");
  Size3 result;
  for (int d = 0; d < 3; ++d) {
    const int given = d - (3 - dimensions);
    result.at[d] = pool_coordinate(name, given < 0 ? absent : sizes[given]);
  }
  return result;
}

Size3 size_of_volume(const Array& array) {
  Size3 size;
  for (int d = 0; d < 3; ++d) size.at[d] = pool_coordinate("a size", array.shape[2 + d]);
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
    elements *= pool_coordinate("a size", n[d]);
    pool_coordinate("the number of elements of an image", elements);
  }
  const std::int64_t channels = inner == 1 ? std::max<std::int64_t>(n[1], 1) : 1;
  return {.planes = inner == 1 ? n[0] * n[1] : n[0],
          .channels = static_cast<unsigned>(pool_coordinate("the number of channels", channels)),
          .blocks = static_cast<unsigned>((elements + pool_threads - 1) / pool_threads),
          .elements = static_cast<int>(elements),
          .inner = pool_divider(inner),
          .rows = pool_divider(n[3]),
          .columns = pool_divider(n[4])};
}

}  // namespace minidl::cuda
