#include "cpu/softmax.h"

namespace minidl::cpu {

int64_t first_out_of_range(const int64_t* indices, int64_t count, int64_t limit,
                           const int64_t* ignore) {
  for (int64_t k = 0; k < count; ++k) {
    const bool inside = indices[k] >= 0 && indices[k] < limit;
    if (!inside && (ignore == nullptr || indices[k] != *ignore)) return k;
  }
  return -1;
}

}  // namespace minidl::cpu
