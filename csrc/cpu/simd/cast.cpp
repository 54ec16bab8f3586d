#include "cpu/cast.h"

#include <cstring>

#include "cpu/simd/vec.h"
#include "cpu/thread_pool.h"

namespace minidl::cpu::MINIDL_ISA {
namespace {

constexpr int64_t kGrain = 1 << 15;

// The upper half of a float, rounded; a NaN keeps a bit that says so.
MINIDL_INLINE uint16_t rounded(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  const uint32_t nearest = bits + 0x7FFFu + ((bits >> 16) & 1u);
  return static_cast<uint16_t>((x != x ? bits | 0x400000u : nearest) >> 16);
}

void to_bfloat16(int64_t size, const float* from, uint16_t* to) {
  parallel_for(size, kGrain, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] = rounded(from[i]);
  });
}

void from_bfloat16(int64_t size, const uint16_t* from, float* to) {
  parallel_for(size, kGrain, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const uint32_t bits = static_cast<uint32_t>(from[i]) << 16;
      std::memcpy(to + i, &bits, sizeof bits);
    }
  });
}

#if defined(__F16C__)
constexpr int64_t kStep = kLanes<float>;

MINIDL_INLINE void narrow(const float* from, uint16_t* to) {
#if defined(__AVX512F__)
  _mm256_storeu_si256(
      reinterpret_cast<__m256i*>(to),
      _mm512_maskz_cvtps_ph(0xffff, _mm512_loadu_ps(from), _MM_FROUND_TO_NEAREST_INT));
#else
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                   _mm256_cvtps_ph(_mm256_loadu_ps(from), _MM_FROUND_TO_NEAREST_INT));
#endif
}

MINIDL_INLINE void widen(const uint16_t* from, float* to) {
#if defined(__AVX512F__)
  _mm512_storeu_ps(to, _mm512_maskz_cvtph_ps(
                           0xffff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))));
#else
  _mm256_storeu_ps(to, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
#endif
}

// convert(from, to) of kStep elements each, the last by way of arrays that have room for them.
template <typename From, typename To, typename Convert>
MINIDL_INLINE void in_steps(int64_t size, const From* from, To* to, const Convert& convert) {
  parallel_for(size, kGrain, [=](int64_t begin, int64_t end) {
    int64_t i = begin;
    for (; i + kStep <= end; i += kStep) convert(from + i, to + i);
    if (i == end) return;
    From last[kStep] = {};
    To found[kStep];
    for (int64_t k = 0; k < end - i; ++k) last[k] = from[i + k];
    convert(last, found);
    for (int64_t k = 0; k < end - i; ++k) to[i + k] = found[k];
  });
}

void to_float16(int64_t size, const float* from, uint16_t* to) {
  in_steps(size, from, to, [](const float* x, uint16_t* y) { narrow(x, y); });
}

void from_float16(int64_t size, const uint16_t* from, float* to) {
  in_steps(size, from, to, [](const uint16_t* x, float* y) { widen(x, y); });
}
#else
constexpr void (*to_float16)(int64_t, const float*, uint16_t*) = nullptr;
constexpr void (*from_float16)(int64_t, const uint16_t*, float*) = nullptr;
#endif

}  // namespace

const CastKernels cast_kernels{.to_bfloat16 = &to_bfloat16,
                               .from_bfloat16 = &from_bfloat16,
                               .to_float16 = to_float16,
                               .from_float16 = from_float16};

}  // namespace minidl::cpu::MINIDL_ISA
