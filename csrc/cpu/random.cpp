#include "cpu/random.h"

#include <algorithm>

#include "common/philox.h"
#include "cpu/thread_pool.h"

namespace minidl::cpu {
namespace {

constexpr int64_t kBlocksAPiece = 4096;  // 64 KiB of words: worth a thread's while

// Calls piece(begin, count, stream) for runs of elements, of which a block of the stream gives
// `per_block`.
template <class Piece>
void in_pieces(int64_t count, int64_t per_block, Stream stream, const Piece& piece) {
  const int64_t blocks = count / per_block + (count % per_block != 0);
  parallel_for(blocks, kBlocksAPiece, [&](int64_t begin, int64_t end) {
    const int64_t first = begin * per_block;
    piece(first, std::min(end * per_block, count) - first, stream.after(begin));
  });
}

template <class T>
void fill(RandomKernels::Fill<T> kernel, T* out, int64_t count, int64_t per_block, Stream stream) {
  in_pieces(count, per_block, stream,
            [&](int64_t first, int64_t length, Stream part) { kernel(out + first, length, part); });
}

// floor(pair * span / 2^64)
inline uint64_t multiply_high(uint64_t pair, uint64_t span) {
  return static_cast<uint64_t>((static_cast<unsigned __int128>(pair) * span) >> 64);
}

// floor((high * 2^64 + low) * span / 2^128)
inline uint64_t multiply_high(uint64_t high, uint64_t low, uint64_t span) {
  const auto product = static_cast<unsigned __int128>(high) * span;
  return static_cast<uint64_t>((product + multiply_high(low, span)) >> 64);
}

// out[i] = convert(words of element i), kWords of them
template <int kWords, class Convert>
void convert_words(int64_t* out, int64_t count, Stream stream, const Convert& convert) {
  constexpr int64_t kElements = 512;
  in_pieces(count, 4 / kWords, stream, [&](int64_t first, int64_t length, Stream part) {
    uint32_t words[kElements * kWords];
    for (int64_t at = 0; at < length; at += kElements) {
      const int64_t some = std::min(kElements, length - at);
      random_kernels().bits(words, some * kWords, part.after(at * kWords / 4));
      for (int64_t i = 0; i < some; ++i) out[first + at + i] = convert(words + i * kWords);
    }
  });
}

}  // namespace

void fill_bits(uint32_t* out, int64_t count, Stream stream) {
  fill(random_kernels().bits, out, count, 4, stream);
}

void fill_bits(uint64_t* out, int64_t count, Stream stream) {
  // The words of a pair, the first one lowest, are the pair in this machine's byte order.
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
  fill(random_kernels().bits, reinterpret_cast<uint32_t*>(out), 2 * count, 4, stream);
}

void fill_uniform(float* out, int64_t count, Stream stream) {
  fill(random_kernels().uniform_float, out, count, 4, stream);
}

void fill_uniform(double* out, int64_t count, Stream stream) {
  fill(random_kernels().uniform_double, out, count, 2, stream);
}

void fill_normal(float* out, int64_t count, Stream stream) {
  fill(random_kernels().normal_float, out, count, 4, stream);
}

void fill_normal(double* out, int64_t count, Stream stream) {
  fill(random_kernels().normal_double, out, count, 2, stream);
}

void fill_exponential(float* out, int64_t count, Stream stream) {
  fill(random_kernels().exponential_float, out, count, 4, stream);
}

void fill_exponential(double* out, int64_t count, Stream stream) {
  fill(random_kernels().exponential_double, out, count, 2, stream);
}

void fill_integers(int64_t* out, int64_t count, int64_t low, uint64_t span, Stream stream) {
  const auto base = static_cast<uint64_t>(low);
  if (span != 0 && span <= uint64_t{1} << 32) {
    return convert_words<2>(out, count, stream, [=](const uint32_t* w) {
      return static_cast<int64_t>(base + multiply_high(philox_pair(w), span));
    });
  }
  convert_words<4>(out, count, stream, [=](const uint32_t* w) {
    const uint64_t high = philox_pair(w + 2), low_pair = philox_pair(w);
    const uint64_t index = span == 0 ? high : multiply_high(high, low_pair, span);
    return static_cast<int64_t>(base + index);
  });
}

}  // namespace minidl::cpu
