// Between index.cpp, which plans, and the kernels index_<algorithm>.cu.
#pragma once

#include "cuda/fault_report.h"
#include "cuda/index.h"
#include "cuda/walk.h"

namespace minidl::cuda {

// An indexed array, N index arrays and a plain array, walked together: in[0], in[1] to in[N], and
// in[N + 1].
template <int N>
struct IndexedWalk {
  Walk<N + 2> walk = {};
  int axes;  // index arrays in use
  const void* index[N] = {};
  bool wide[N] = {};  // int64, not int32
  std::int64_t size[N] = {}, stride[N] = {}, place[N] = {};
  IndexRules rules;

  // Moves `offset`, in the indexed array, to where the indices point; false where one is passed
  // over.
  __device__ __forceinline__ bool locate(const Offsets<N + 2>& at, std::int64_t& offset) const {
    for (int k = 0; k < N; ++k) {
      if (k >= axes) break;
      const std::int64_t o = at.in[1 + k];
      std::int64_t i = wide[k] ? static_cast<const std::int64_t*>(index[k])[o]
                               : static_cast<const std::int32_t*>(index[k])[o];
      if (i == rules.ignore) return false;
      const std::int64_t given = i;
      if (rules.wrap && i < 0) i += size[k];
      if (i < 0 || i >= size[k]) {
        report_fault(rules.record, rules.kind, given, size[k], place[k]);
        return false;
      }
      offset += i * stride[k];
    }
    return true;
  }
};

inline constexpr int index_threads = 256;

// Elements are moved as units of up to 16 bytes, whatever they hold.
struct alignas(16) Unit16 {
  std::uint64_t half[2];
};
#define MINIDL_UNITS(X) X(std::uint8_t) X(std::uint16_t) X(std::uint32_t) X(std::uint64_t) X(Unit16)

template <class Unit, int N>
void index_gather(const IndexedWalk<N>& walk, const Unit* source, Unit* output, Stream stream);
void index_check(const IndexedWalk<1>& walk, std::int64_t* output, Stream stream);
template <class Unit, int N>
void index_write(const IndexedWalk<N>& walk, Unit* target, const Unit* source, unsigned* owners,
                 Stream stream);
template <class T, int N>
void index_add_atomic(const IndexedWalk<N>& walk, T* target, const T* source, Stream stream);
// keys[n] = where entry n of the walk points, in units of `step` elements, or `limit` where it is
// passed over; order[n] = n.
template <int N>
void index_keys(const IndexedWalk<N>& walk, std::int64_t step, unsigned limit, unsigned* keys,
                unsigned* order, Stream stream);

// The additions of index_add once entries are sorted by where they point.
template <class T>
struct SortedAdd {
  T* target;
  const T* source;
  const unsigned *keys, *order;  // [entries], sorted
  std::int64_t entries, step;
  unsigned limit;           // the key of entries that are passed over
  Walk<1> entry_of_source;  // an entry's offset in source
  Walk<2> inner;            // offsets in target and source of what an entry adds
  void* leads;              // [chunks, inner], of accumulators: see index_add_sorted.cu
};
template <class T>
void index_add_sorted(const SortedAdd<T>& add, Stream stream);
inline constexpr int chunk_entries = 128;

}  // namespace minidl::cuda
