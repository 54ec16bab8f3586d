#include "cpu/indexing.h"

#include <algorithm>
#include <atomic>

#include "cpu/thread_pool.h"

namespace minidl::cpu {
namespace {

constexpr int64_t kGrain = 1 << 14;  // elements a piece
constexpr int64_t kColumns = 128;    // that a task takes where lines are few

bool inside(int64_t index, int64_t size) {
  return static_cast<uint64_t>(index) < static_cast<uint64_t>(size);
}

struct Offsets {
  int64_t array = 0, index = 0, other = 0;
};

// All that differs from `dim` and the last axis is a line; what is last, unless it is `dim`, its
// columns.
class Lines {
 public:
  explicit Lines(const AlongProblem& p) : p_(p), last_(p.rank - 1) {
    for (int axis = 0; axis < last_; ++axis) {
      if (axis != p.dim) count_ *= p.extent[axis];
    }
    if (p.dim != last_) columns_ = p.extent[last_];
  }
  int64_t count() const { return count_; }
  int64_t columns() const { return columns_; }
  // From one column to the next.
  Offsets step() const {
    if (p_.dim == last_) return {};
    return {p_.array[last_], p_.index[last_], p_.other[last_]};
  }
  Offsets at(int64_t line) const {
    Offsets found;
    for (int axis = last_ - 1; axis >= 0; --axis) {
      if (axis == p_.dim) continue;
      const int64_t at = line % p_.extent[axis];
      line /= p_.extent[axis];
      found.array += at * p_.array[axis];
      found.index += at * p_.index[axis];
      found.other += at * p_.other[axis];
    }
    return found;
  }

 private:
  const AlongProblem& p_;
  int last_;
  int64_t count_ = 1, columns_ = 1;
};

// each(offset in the array, offset in the other) for every index; those that may meet on one
// thread, in order.
template <class Each>
bool along(const AlongProblem& p, const int64_t* index, const Each& each) {
  const Lines lines(p);
  const int64_t length = p.extent[p.dim], columns = lines.columns();
  const int64_t blocks = (columns + kColumns - 1) / kColumns;
  if (lines.count() * blocks * length == 0) return true;
  const Offsets down{p.array[p.dim], p.index[p.dim], p.other[p.dim]}, right = lines.step();
  const int64_t grain = std::max<int64_t>(1, kGrain / (length * std::min(kColumns, columns)));
  std::atomic<bool> good{true};
  parallel_for(lines.count() * blocks, grain, [&](int64_t begin, int64_t end) {
    bool all = true;
    for (int64_t task = begin; task < end; ++task) {
      const Offsets from = lines.at(task / blocks);
      const int64_t first = task % blocks * kColumns, until = std::min(columns, first + kColumns);
      // `count` indices from there on, a step after the other
      const auto row = [&](Offsets at, Offsets step, int64_t count) {
        for (int64_t i = 0; i < count; ++i) {
          const int64_t found = index[at.index + i * step.index];
          if (inside(found, p.size)) {
            each(at.array + found * down.array + i * step.array, at.other + i * step.other);
          } else {
            all = false;
          }
        }
      };
      if (columns == 1) {
        row(from, {0, down.index, down.other}, length);
        continue;
      }
      for (int64_t k = 0; k < length; ++k) {
        row({from.array + first * right.array, from.index + k * down.index + first * right.index,
             from.other + k * down.other + first * right.other},
            right, until - first);
      }
    }
    if (!all) good = false;
  });
  return good;
}

bool all_inside(const SliceProblem& p, const int64_t* index) {
  return std::all_of(index, index + p.count, [&](int64_t k) { return inside(k, p.size); });
}

}  // namespace

template <class Word>
bool take_along(const AlongProblem& p, const int64_t* index, const Word* array, Word* other) {
  return along(p, index, [=](int64_t from, int64_t to) { other[to] = array[from]; });
}

template <class Word>
bool put_along(const AlongProblem& p, const int64_t* index, const Word* other, Word* array) {
  return along(p, index, [=](int64_t to, int64_t from) { array[to] = other[from]; });
}

template <class T>
bool add_along(const AlongProblem& p, const int64_t* index, const T* other, T* array) {
  return along(p, index, [=](int64_t to, int64_t from) { array[to] += other[from]; });
}

template <class Word>
bool take_slices(const SliceProblem& p, const int64_t* index, const Word* array, Word* slices) {
  if (!all_inside(p, index)) return false;
  const int64_t rows = p.outer * p.count;
  parallel_for(rows, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, p.inner)),
               [&](int64_t begin, int64_t end) {
                 int64_t outer = begin / p.count, k = begin % p.count;
                 for (int64_t row = begin; row < end; ++row) {
                   const Word* from = array + (outer * p.size + index[k]) * p.inner;
                   if (p.inner == 1) {
                     slices[row] = *from;
                   } else {
                     std::copy_n(from, p.inner, slices + row * p.inner);
                   }
                   if (++k == p.count) k = 0, ++outer;
                 }
               });
  return true;
}

template <class T>
bool add_slices(const SliceProblem& p, const int64_t* index, const T* slices, T* array) {
  if (!all_inside(p, index)) return false;
  const int64_t wide = std::min(kColumns, p.inner);
  if (p.outer * p.count * p.inner == 0) return true;
  const int64_t blocks = (p.inner + wide - 1) / wide;
  const int64_t grain = std::max<int64_t>(1, kGrain / (p.count * wide));
  parallel_for(p.outer * blocks, grain, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t outer = task / blocks, first = task % blocks * wide;
      const int64_t columns = std::min(wide, p.inner - first);
      for (int64_t k = 0; k < p.count; ++k) {
        const T* from = slices + (outer * p.count + k) * p.inner + first;
        T* to = array + (outer * p.size + index[k]) * p.inner + first;
        for (int64_t j = 0; j < columns; ++j) to[j] += from[j];
      }
    }
  });
  return true;
}

#define MINIDL_BY_WORD(Word)                                                               \
  template bool take_along<Word>(const AlongProblem&, const int64_t*, const Word*, Word*); \
  template bool put_along<Word>(const AlongProblem&, const int64_t*, const Word*, Word*);  \
  template bool take_slices<Word>(const SliceProblem&, const int64_t*, const Word*, Word*);
MINIDL_BY_WORD(uint8_t)
MINIDL_BY_WORD(uint16_t)
MINIDL_BY_WORD(uint32_t)
MINIDL_BY_WORD(uint64_t)

#define MINIDL_BY_NUMBER(T)                                                      \
  template bool add_along<T>(const AlongProblem&, const int64_t*, const T*, T*); \
  template bool add_slices<T>(const SliceProblem&, const int64_t*, const T*, T*);
MINIDL_BY_NUMBER(float)
MINIDL_BY_NUMBER(double)

}  // namespace minidl::cpu
