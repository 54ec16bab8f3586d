// Sums of windows that overlap: the gradient of a view of windows along one axis. The same bits for
// any number of threads. Element types: float, double.
#pragma once

#include <cstdint>

namespace minidl::cpu {

// Windows [outer, count, inner, size], every `step`, of an array [outer, length, inner].
struct WindowsProblem {
  int64_t outer, length, inner;
  int64_t count, size, step;  // (count - 1) step + size <= length, unless count is 0
};

// out[outer, length, inner] = the sums of the windows' elements, in the order of the windows; 0
// where there is none.
template <class T>
void fold_windows(const WindowsProblem& p, const T* windows, T* out);

}  // namespace minidl::cpu
