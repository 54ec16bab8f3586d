#include "cuda/images.h"

namespace minidl::cuda {

Array with_three_dimensions(const char* name, const Array& images) {
  MINIDL_CHECK(3 <= images.rank() && images.rank() <= 5, name,
               " must have 3, 4 or 5 dimensions, got shape ", spell(images.shape));
  Array result = images;
  const int missing = 5 - images.rank();
  result.shape.insert(result.shape.begin() + 2, missing, 1);
  result.strides.insert(result.strides.begin() + 2, missing, 0);
  return result;
}

int image_coordinate(const char* what, std::int64_t value) {
  constexpr std::int64_t limit = std::int64_t{1} << 30;
  MINIDL_CHECK_AS(NotSupported, -limit < value && value < limit, what, " = ", value,
                  " is beyond the limit of ", limit, " of images on a GPU");
  return static_cast<int>(value);
}

}  // namespace minidl::cuda
