// Random arrays: pure functions of a position in a stream of Philox-4x32-10.
// minidl/backends/reference/random.py states which words make which element; the bits are the same
// on every backend.
#pragma once

#include <cstdint>

#include "cuda/array.h"
#include "cuda/stream.h"

namespace minidl::cuda {

// A draw starts at block `offset` plus, where `offset_word` is not null, the number that it points
// to in device memory when the kernel runs. A captured step that draws keeps its counter there and
// moves it on itself; otherwise the word is null and the host counts.
struct RandomStream {
  std::uint64_t seed = 0, offset = 0;
  const std::uint64_t* offset_word = nullptr;
};

// Each fills `out`, which is dense in C order. Throw std::invalid_argument where it is not,
// TypeMismatch for dtypes that the function does not give.
void fill_bits(const Array& out, const RandomStream& stream, Stream on);         // uint32, uint64
void fill_uniform(const Array& out, const RandomStream& stream, Stream on);      // floats, [0, 1)
void fill_normal(const Array& out, const RandomStream& stream, Stream on);       // floats
void fill_exponential(const Array& out, const RandomStream& stream, Stream on);  // floats, rate 1

// out (int64) in [low, low + span), wrapping around; a span of 0 stands for 2^64.
void fill_integers(const Array& out, std::int64_t low, std::uint64_t span,
                   const RandomStream& stream, Stream on);

}  // namespace minidl::cuda
