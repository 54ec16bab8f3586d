// The loops of elementwise operations. An operation is a struct with a static `of`, which takes
// vectors, and its numbers where it has any.
#pragma once

#include <algorithm>

#include "cpu/elementwise.h"
#include "cpu/simd/vec.h"

namespace minidl::cpu::MINIDL_ISA {
namespace {

// Elements of an operand that are brought together when they do not lie side by side.
constexpr int64_t kGathered = 512;

template <class Op, class Row, class T>
MINIDL_INLINE Vec<T> apply(const Vec<T> (&x)[Row::kArrays], const T* numbers) {
  if constexpr (Row::kArrays == 1 && Row::kNumbers == 0) {
    return Op::template of<Vec<T>>(x[0]);
  } else if constexpr (Row::kArrays == 1) {
    return Op::template of<Vec<T>>(x[0], numbers);
  } else if constexpr (Row::kNumbers == 0) {
    return Op::template of<Vec<T>>(x[0], x[1]);
  } else {
    return Op::template of<Vec<T>>(x[0], x[1], numbers);
  }
}

// Operands and result side by side.
template <class Op, class Row, class T>
__attribute__((noinline)) void run_flat(int64_t size, const T* const* operands, const T* given,
                                        T* __restrict out) {
  constexpr int kArrays = Row::kArrays;
  T numbers[Row::kNumbers + 1];
  for (int i = 0; i < Row::kNumbers; ++i) numbers[i] = given[i];
  const T* from[kArrays];
  for (int i = 0; i < kArrays; ++i) from[i] = operands[i];
  int64_t at = 0;
  for (; at + kLanes<T> <= size; at += kLanes<T>) {
    Vec<T> x[kArrays];
    for (int i = 0; i < kArrays; ++i) x[i] = load(from[i] + at);
    store(out + at, apply<Op, Row, T>(x, numbers));
  }
  if (at == size) return;
  Vec<T> x[kArrays];
  for (int i = 0; i < kArrays; ++i) x[i] = load_n(from[i] + at, size - at);
  store_n(out + at, size - at, apply<Op, Row, T>(x, numbers));
}

// The same where an operand is one value (step 0): it stands in every lane of a vector that is read
// again and again.
template <class Op, class Row, class T>
__attribute__((noinline)) void run_spread(int64_t size, const T* const* operands,
                                          const int64_t* given_steps, const T* given,
                                          T* __restrict out) {
  constexpr int kArrays = Row::kArrays;
  T numbers[Row::kNumbers + 1];
  for (int i = 0; i < Row::kNumbers; ++i) numbers[i] = given[i];
  T spread[kArrays][kLanes<T>];
  const T* from[kArrays];
  int64_t steps[kArrays];
  for (int i = 0; i < kArrays; ++i) {
    steps[i] = given_steps[i];
    store(spread[i], splat(*operands[i]));
    from[i] = steps[i] == 0 ? spread[i] : operands[i];
  }
  int64_t at = 0;
  for (; at + kLanes<T> <= size; at += kLanes<T>) {
    Vec<T> x[kArrays];
    for (int i = 0; i < kArrays; ++i) x[i] = load(from[i] + at * steps[i]);
    store(out + at, apply<Op, Row, T>(x, numbers));
  }
  if (at == size) return;
  Vec<T> x[kArrays];
  for (int i = 0; i < kArrays; ++i) x[i] = load_n(from[i] + at * steps[i], size - at);
  store_n(out + at, size - at, apply<Op, Row, T>(x, numbers));
}

template <class T>
__attribute__((noinline)) void gather(int64_t count, const T* from, int64_t step,
                                      T* __restrict to) {
  if (step == 0) {
    const Vec<T> value = splat(*from);
    for (int64_t i = 0; i < count; i += kLanes<T>)
      store(to + i, value);  // there is room for the last
    return;
  }
  for (int64_t i = 0; i < count; ++i) to[i] = from[i * step];
}

template <class Op, class Row, class T>
void run_elementwise(int64_t size, const T* const* operands, const int64_t* steps, const T* numbers,
                     T* out) {
  constexpr int kArrays = Row::kArrays;
  if (steps[0] == 1 && steps[kArrays - 1] == 1) {
    return run_flat<Op, Row, T>(size, operands, numbers, out);
  }
  if constexpr (kArrays > 1) {
    const auto spread = [=](int i) { return steps[i] == 0 || steps[i] == 1; };
    if (size > 0 && spread(0) && spread(kArrays - 1)) {
      return run_spread<Op, Row, T>(size, operands, steps, numbers, out);
    }
  }
  alignas(64) T gathered[kArrays][kGathered];
  const T* at[kArrays];
  for (int64_t begin = 0; begin < size; begin += kGathered) {
    const int64_t count = std::min(kGathered, size - begin);
    for (int i = 0; i < kArrays; ++i) {
      at[i] = steps[i] == 1 ? operands[i] + begin : gathered[i];
      const bool there = steps[i] == 1 || (steps[i] == 0 && begin > 0);
      if (!there) gather(count, operands[i] + begin * steps[i], steps[i], gathered[i]);
    }
    run_flat<Op, Row, T>(count, at, numbers, out + begin);
  }
}

}  // namespace
}  // namespace minidl::cpu::MINIDL_ISA
