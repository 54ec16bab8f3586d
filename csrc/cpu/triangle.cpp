#include "cpu/triangle.h"

#include <algorithm>

#include "cpu/thread_pool.h"

namespace minidl::cpu {

template <class Word>
void triangle(const TriangleProblem& p, const Word* input, Word* out) {
  constexpr int64_t kTask = 1 << 15;  // elements of a task
  parallel_for(p.matrices * p.rows, std::max<int64_t>(1, kTask / std::max<int64_t>(1, p.columns)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t row = begin; row < end; ++row) {
                   const Word* from = input + row * p.columns;
                   Word* to = out + row * p.columns;
                   // Columns [0, cut) lie below.
                   const int64_t on = row % p.rows + p.diagonal + (p.lower ? 1 : 0);
                   const int64_t cut = std::clamp<int64_t>(on, 0, p.columns);
                   const int64_t first = p.lower ? 0 : cut, until = p.lower ? cut : p.columns;
                   std::fill(to, to + first, Word{0});
                   std::copy(from + first, from + until, to + first);
                   std::fill(to + until, to + p.columns, Word{0});
                 }
               });
}

template void triangle(const TriangleProblem&, const uint8_t*, uint8_t*);
template void triangle(const TriangleProblem&, const uint16_t*, uint16_t*);
template void triangle(const TriangleProblem&, const uint32_t*, uint32_t*);
template void triangle(const TriangleProblem&, const uint64_t*, uint64_t*);

}  // namespace minidl::cpu
