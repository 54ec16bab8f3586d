#include "cpu/probe.h"

#include <atomic>
#include <cstring>

#include "cpu/thread_pool.h"

namespace minidl::cpu {

template <typename T>
double probe_multiply_add(int64_t rounds, int64_t pieces) {
  const ProbeKernels<T>& kernels = probe_kernels<T>();
  std::atomic<bool> finite{true};
  parallel_for(pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t piece = begin; piece < end; ++piece) {
      if (!(kernels.multiply_add(rounds) >= T{0})) finite = false;
    }
  });
  return finite ? 2.0 * static_cast<double>(rounds) * kProbeChains *
                      static_cast<double>(kernels.lanes) * static_cast<double>(pieces)
                : 0.0;
}

template double probe_multiply_add<float>(int64_t, int64_t);
template double probe_multiply_add<double>(int64_t, int64_t);

void probe_copy(int64_t bytes, int64_t grain, const void* source, void* target) {
  const auto* from = static_cast<const char*>(source);
  auto* to = static_cast<char*>(target);
  parallel_for(bytes, grain, [=](int64_t begin, int64_t end) {
    std::memcpy(to + begin, from + begin, static_cast<size_t>(end - begin));
  });
}

}  // namespace minidl::cpu
