// Faults of the data that only a kernel can see, such as an index beyond its array. A kernel cannot
// throw: it notes the first fault in a record in device memory and goes on with something harmless.
// Whoever brings results to the host looks into the record then, so no launch has to wait.
#pragma once

#include <cstdint>

namespace minidl::cuda {

// minidl/backends/faults.py says what each means to a user.
enum class FaultKind : std::int64_t {
  index = 1,      // an index into dimension `place`, which has `size` elements
  embedding = 2,  // a row of a table of `size` rows
  target = 3,     // a class among `size`
};

// Five words, 0 while nothing has happened.
struct FaultRecord {
  unsigned long long claimed;  // by the first to report; the others keep silent
  std::int64_t kind, index, size, place;
};

}  // namespace minidl::cuda
