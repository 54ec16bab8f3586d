// Fills arrays with the Philox stream of (seed, offset). Which words an element takes is stated in
// minidl/backends/reference/random.py; the result depends neither on threads nor on the machine,
// except that normals and exponentials carry the rounding of the level's log, sine and cosine.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace minidl::cpu {

// Position in a stream: blocks of four words from block `offset` on.
struct Stream {
  uint64_t seed;
  uint64_t offset;

  Stream after(int64_t blocks) const { return {seed, offset + static_cast<uint64_t>(blocks)}; }
};

struct RandomKernels {
  // One thread's part: [count] elements of `out` from the stream's first word on.
  template <typename T>
  using Fill = void (*)(T* out, int64_t count, Stream stream);

  Fill<uint32_t> bits;
  Fill<float> uniform_float, normal_float, exponential_float;
  Fill<double> uniform_double, normal_double, exponential_double;
};
MINIDL_KERNEL_TABLE(RandomKernels, random_kernels)

// Every `out` is contiguous, [count].
void fill_bits(uint32_t* out, int64_t count, Stream stream);
void fill_bits(uint64_t* out, int64_t count, Stream stream);
void fill_uniform(float* out, int64_t count, Stream stream);
void fill_uniform(double* out, int64_t count, Stream stream);
void fill_normal(float* out, int64_t count, Stream stream);
void fill_normal(double* out, int64_t count, Stream stream);
void fill_exponential(float* out, int64_t count, Stream stream);
void fill_exponential(double* out, int64_t count, Stream stream);

// low + [0, span), in wrapping arithmetic; a span of 0 means 2^64.
void fill_integers(int64_t* out, int64_t count, int64_t low, uint64_t span, Stream stream);

}  // namespace minidl::cpu
