// Running extremes along one axis of x[K, R, M], and where they stand: values and places [K, R, M].
// Of equal elements the last one counts; a NaN wins from where it comes. Element types: float,
// double, int32_t, int64_t.
#pragma once

#include <cstdint>

namespace minidl::cpu {

template <class T>
void cummax(int64_t k, int64_t r, int64_t m, const T* x, T* values, int64_t* places);
template <class T>
void cummin(int64_t k, int64_t r, int64_t m, const T* x, T* values, int64_t* places);

}  // namespace minidl::cpu
