#include "cpu/windows.h"

#include <algorithm>

#include "cpu/thread_pool.h"

namespace minidl::cpu {

template <class T>
void fold_windows(const WindowsProblem& p, const T* windows, T* out) {
  constexpr int64_t kTask = 1 << 15;  // elements of a task
  const int64_t work = std::max<int64_t>(1, p.count * p.size + p.length);
  parallel_for(p.outer * p.inner, std::max<int64_t>(1, kTask / work),
               [&](int64_t begin, int64_t end) {
                 for (int64_t task = begin; task < end; ++task) {
                   const int64_t outer = task / p.inner, inner = task % p.inner;
                   T* to = out + outer * p.length * p.inner + inner;
                   const T* from = windows + (outer * p.count * p.inner + inner) * p.size;
                   for (int64_t i = 0; i < p.length; ++i) to[i * p.inner] = T(0);
                   for (int64_t k = 0; k < p.count; ++k, from += p.inner * p.size) {
                     T* first = to + k * p.step * p.inner;
                     for (int64_t i = 0; i < p.size; ++i) first[i * p.inner] += from[i];
                   }
                 }
               });
}

template void fold_windows(const WindowsProblem&, const float*, float*);
template void fold_windows(const WindowsProblem&, const double*, double*);

}  // namespace minidl::cpu
