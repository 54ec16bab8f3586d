#include "cuda/array.h"

namespace minidl::cuda {

std::int64_t Array::count() const {
  std::int64_t product = 1;
  for (const std::int64_t size : shape) product *= size;
  return product;
}

std::string spell(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

void check_rank(const char* name, const Array& array, int rank) {
  MINIDL_CHECK(array.rank() == rank, name, " must have ", rank, " dimensions, got shape ",
               spell(array.shape));
}

void check_shape(const char* name, const Array& array, const std::vector<std::int64_t>& wanted) {
  MINIDL_CHECK(array.shape == wanted, name, " must have shape ", spell(wanted), ", got ",
               spell(array.shape));
}

void check_dtype(const char* name, const Array& array, DType wanted) {
  MINIDL_CHECK_TYPE(array.dtype == wanted, name, " must be ", minidl::name(wanted), ", got ",
                    minidl::name(array.dtype));
}

}  // namespace minidl::cuda
