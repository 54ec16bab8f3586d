// Philox-4x32-10 (common/philox.h) of as many blocks side by side as a vector has 64-bit lanes.
#pragma once

#include "cpu/simd/vec.h"

namespace minidl::cpu::MINIDL_ISA {

typedef uint64_t Lanes64 __attribute__((vector_size(kVectorBytes)));
inline constexpr int64_t kBlocks = kVectorBytes / 8;
inline constexpr uint64_t kLowWord = 0xffffffff;

// Products of the low halves of the lanes; the high halves may hold anything.
MINIDL_INLINE Lanes64 multiply_low_words(Lanes64 a, Lanes64 b) {
#if defined(__AVX512F__)
  return reinterpret_cast<Lanes64>(
      _mm512_maskz_mul_epu32(0xff, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__)
  return reinterpret_cast<Lanes64>(
      _mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__SSE2__)
  return reinterpret_cast<Lanes64>(
      _mm_mul_epu32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
  return (a & kLowWord) * (b & kLowWord);
#endif
}

// The four words of kBlocks blocks, a block a lane, in the low halves of the lanes.
struct Words {
  Lanes64 word[4];
};

class Philox {
 public:
  explicit MINIDL_INLINE Philox(uint64_t seed) {
    auto low = static_cast<uint32_t>(seed), high = static_cast<uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round) {
      keys_[round][0] = Lanes64{} + low;
      keys_[round][1] = Lanes64{} + high;
      low += 0x9E3779B9u;
      high += 0xBB67AE85u;
    }
    for (int64_t lane = 0; lane < kBlocks; ++lane) lanes_[lane] = static_cast<uint64_t>(lane);
  }

  // Blocks `first` and following.
  MINIDL_INLINE Words operator()(uint64_t first) const {
    const Lanes64 counter = lanes_ + first;
    Lanes64 c0 = counter, c1 = counter >> 32, c2{}, c3{};
    for (int round = 0; round < 10; ++round) {
      const Lanes64 product0 = multiply_low_words(c0, Lanes64{} + 0xD2511F53u);
      const Lanes64 product1 = multiply_low_words(c2, Lanes64{} + 0xCD9E8D57u);
      c0 = (product1 >> 32) ^ c1 ^ keys_[round][0];
      c1 = product1;
      c2 = (product0 >> 32) ^ c3 ^ keys_[round][1];
      c3 = product0;
    }
    return {{c0, c1, c2, c3}};
  }

 private:
  Lanes64 keys_[10][2];
  Lanes64 lanes_;
};

// a's low words in the even 32-bit lanes, b's in the odd ones.
MINIDL_INLINE Lanes64 paired(Lanes64 a, Lanes64 b) { return (a & kLowWord) | (b << 32); }

// a[0], b[0], a[1], b[1], ...: first and second half.
template <typename V>
struct Interleaved {
  V first, second;
};
template <typename V>
MINIDL_INLINE Interleaved<V> interleave(V a, V b) {
  constexpr int kCount = sizeof(V) / sizeof(a[0]);
  if constexpr (kCount == 2) {
    return {__builtin_shufflevector(a, b, 0, 2), __builtin_shufflevector(a, b, 1, 3)};
  } else if constexpr (kCount == 4) {
    return {__builtin_shufflevector(a, b, 0, 4, 1, 5), __builtin_shufflevector(a, b, 2, 6, 3, 7)};
  } else if constexpr (kCount == 8) {
    return {__builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11),
            __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)};
  } else {
    static_assert(kCount == 16);
    return {__builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
            __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15,
                                    31)};
  }
}

// The words of the blocks in their order: pairs as the lanes of two vectors.
MINIDL_INLINE Interleaved<Lanes64> in_order(const Words& w) {
  return interleave(paired(w.word[0], w.word[1]), paired(w.word[2], w.word[3]));
}

MINIDL_INLINE Vec<int32_t> words_of(Lanes64 pairs) { return reinterpret_cast<Vec<int32_t>>(pairs); }

}  // namespace minidl::cpu::MINIDL_ISA
