// Reading and writing at places that index arrays name.
#pragma once

#include <cstdint>
#include <vector>

#include "cuda/array.h"
#include "cuda/fault.h"
#include "cuda/stream.h"

namespace minidl::cuda {

// One index array (int32 or int64), which broadcasts to the joint shape S: it picks from an axis of
// `size` elements that lie `stride` elements apart in the indexed array. `place` is that axis's
// number, for messages.
struct IndexedAxis {
  Array index;
  std::int64_t size, stride, place;
};

// What becomes of an index outside [0, size): with `wrap`, one in [-size, 0) counts from the end;
// one equal to `ignore`, where there is one, is passed over; any other is noted in `record`, and
// passed over too.
struct IndexRules {
  bool wrap;
  FaultKind kind;
  FaultRecord* record;
  std::int64_t ignore = INT64_MIN;
};

inline constexpr int max_indexed_axes = 4;

// All of these take 1 to 4 axes. In `source` (gather) or `target` (the others), of shape S, the
// axes that are indexed have stride 0. Any strides; the two arrays have one dtype and share no
// memory. They throw std::invalid_argument for shapes that do not fit, TypeMismatch for dtypes.

// output[p] = source[p + sum of index * stride], 0 where an index is passed over. Any dtype.
void gather(const Array& source, const std::vector<IndexedAxis>& axes, const Array& output,
            const IndexRules& rules, Stream stream);

// target[p + sum of index * stride] = source[p]. Where several meet, the last p in the order of S
// stays: the same in every run. `owners` is an array of one dense axis, int32, filled with 0, that
// reaches as far as the target. Any dtype.
void index_write(const Array& target, const std::vector<IndexedAxis>& axes, const Array& source,
                 const Array& owners, const IndexRules& rules, Stream stream);

// target[p + sum of index * stride] += source[p], where target is dense and reaches over
// `target_count` elements. What meets is added in the order of S: the same bits in every run;
// 16-bit floats are added in float32. `workspace` is an array of one dense axis, int64, of at least
// index_add_workspace() elements. Floats and integers.
void index_add(const Array& target, std::int64_t target_count, const std::vector<IndexedAxis>& axes,
               const Array& source, const Array& workspace, const IndexRules& rules, Stream stream);
std::int64_t index_add_workspace(const Array& target, std::int64_t target_count,
                                 const std::vector<IndexedAxis>& axes, const Array& source);

// The same in any order, by atomic additions: faster where little meets. float32 and float64.
void index_add_unordered(const Array& target, const std::vector<IndexedAxis>& axes,
                         const Array& source, const IndexRules& rules, Stream stream);

// output = index, with rules.ignore in the place of what is outside [0, size), which is noted.
// index is int32 or int64, output int64, of one shape.
void check_index(const Array& index, std::int64_t size, const Array& output,
                 const IndexRules& rules, Stream stream);

}  // namespace minidl::cuda
