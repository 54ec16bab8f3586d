#include "cuda/images.h"

#include "common/checks.h"

namespace minidl::cuda {

int narrow(const char* what, std::int64_t value) {
  constexpr std::int64_t limit = 2147483647;
  MINIDL_CHECK(value <= limit, what, " = ", value, " is beyond the limit of ", limit);
  return static_cast<int>(value);
}

Size2 size_of(const char* what, const std::array<std::int64_t, 2>& pair) {
  return {narrow(what, pair[0]), narrow(what, pair[1])};
}

Size2 size_of_images(const Array& images) {
  return size_of("the size of an image", {images.shape[2], images.shape[3]});
}

ImageStrides strides_of(const Array& images) {
  return {images.strides[0], images.strides[1], images.strides[2], images.strides[3]};
}

}  // namespace minidl::cuda
