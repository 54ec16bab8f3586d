#include "cpu/resample.h"

#include "cpu/simd/moments.h"
#include "cpu/thread_pool.h"

namespace minidl::cpu::MINIDL_ISA {
namespace {

constexpr int64_t kGrain = 1 << 14;  // elements a piece

// Neighbours along the axis lie side by side: whole lines.
template <typename T>
void along_lines(const ResampleProblem<T>& p, const T* input, T* out) {
  parallel_for(p.outer, larger(1, kGrain / p.outputs), [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; ++line) {
      const T* from = input + line * p.inputs;
      T* to = out + line * p.outputs;
      for (int64_t i = 0; i < p.outputs; ++i) {
        T sum = T(0);
        for (int64_t t = p.starts[i]; t < p.starts[i + 1]; ++t)
          sum += p.weight[t] * from[p.index[t]];
        to[i] = sum;
      }
    }
  });
}

// Lines of what lies inside the axis, several inputs at a time.
template <typename T>
void across_lines(const ResampleProblem<T>& p, const T* input, T* out) {
  const int64_t lines = p.outer * p.outputs;
  parallel_for(lines, larger(1, kGrain / p.inner), [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; ++line) {
      const int64_t i = line % p.outputs, first = p.starts[i], last = p.starts[i + 1];
      const T* from = input + line / p.outputs * p.inputs * p.inner;
      T* to = out + line * p.inner;
      sweep<T>(p.inner, [&](int64_t n, auto lanes, auto) {
        Vec<T> sum{};
        for (int64_t t = first; t < last; ++t) {
          sum += load(from + p.index[t] * p.inner + n, lanes) * p.weight[t];
        }
        store(to + n, lanes, sum);
      });
    }
  });
}

template <typename T>
void resample(const ResampleProblem<T>& p, const T* input, T* out) {
  if (p.outer * p.outputs * p.inner == 0) return;
  p.inner == 1 ? along_lines(p, input, out) : across_lines(p, input, out);
}

}  // namespace

MINIDL_FILL_TABLES(ResampleKernels, resample_kernels, .resample = &resample<T>)

}  // namespace minidl::cpu::MINIDL_ISA
