// Conversions of float16 and bfloat16: every value there is, and floats around every place where
// rounding turns.
#include <cstring>

#include "golden.h"

namespace minidl::conformance {
namespace {

constexpr int all = 65536;

template <class T>
__global__ void widen_kernel(const T* in, float* out) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  out[i] = static_cast<float>(in[i]);
}

template <class T>
__global__ void narrow_kernel(const float* in, T* out) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  out[i] = T(in[i]);
}

// NaNs by one pattern: which payload survives a conversion is each machine's own.
template <class T>
void one_nan(Buffer<T>& values) {
  values.download();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float value = static_cast<float>(values[i]);
    if (value != value) values[i] = T(__builtin_nanf(""));
  }
  values.upload();
}

template <class T>
void widen(const char* name) {
  Random random(4);
  Buffer<T> in(all);
  Buffer<float> out(all);
  int next = 0;
  in.fill(random, [&](Random&) {
    T value;
    value.bits = static_cast<std::uint16_t>(next++);
    return value;
  });
  cuda::launch(name, widen_kernel<T>, {.grid = {all / 256}, .block = {256}}, nullptr, in.device(),
               out.device());
  one_nan(out);
  golden("to float", out);
}

template <class T>
void narrow(const char* name) {
  Random random(5);
  Buffer<float> in(all);
  Buffer<T> out(all);
  in.fill(random, [](Random& r) {
    // any exponent that the narrow types know; low bits zero, half, or anything
    const std::uint64_t bits = r.bits();
    std::uint32_t word = static_cast<std::uint32_t>(bits);
    if ((bits >> 60) < 6) word &= 0xFFFFE000u;
    if ((bits >> 60) >= 12) word = (word & 0xFFFFF000u) | 0x1000u;
    if ((bits >> 40) % 2)
      word = (word & 0x807FFFFFu) | static_cast<std::uint32_t>(100 + (bits >> 44) % 45) << 23;
    float value;
    std::memcpy(&value, &word, sizeof value);
    return value;
  });
  cuda::launch(name, narrow_kernel<T>, {.grid = {all / 256}, .block = {256}}, nullptr, in.device(),
               out.device());
  one_nan(out);
  golden("from float", out);
}

}  // namespace
}  // namespace minidl::conformance

using namespace minidl;
using namespace minidl::conformance;

CONFORMANCE(half) {
  widen<Half>("half");
  narrow<Half>("half");
}

CONFORMANCE(bfloat16) {
  widen<BFloat16>("bfloat16");
  narrow<BFloat16>("bfloat16");
}
