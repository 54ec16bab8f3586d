// Dropout on the CPU, float and double: drawing and scaling in one pass over memory.
#pragma once

#include <cstdint>

#include "cpu/isa.h"
#include "cpu/random.h"

namespace minidl::cpu {

// output[i] = input[i] * (mask[i] ? scale : 0); everything [count] and contiguous, and output apart
// from the others. Masks are bytes 0 or 1.
template <typename T>
struct MaskedScale {
  T scale;
  const T* input;
  T* output;
};

template <typename T>
struct DropoutKernels {
  // mask[i] = word i of the stream, as a uniform of 24 bits, reaches threshold 2^-24.
  void (*draw)(const MaskedScale<T>& at, uint32_t threshold, uint8_t* mask, int64_t count,
               Stream stream);
  void (*apply)(const MaskedScale<T>& at, const uint8_t* mask, int64_t count);
};
MINIDL_KERNEL_TABLES(DropoutKernels, dropout_kernels)

// On all threads. An element stays where its uniform is >= p, a float.
template <typename T>
void draw_dropout(const MaskedScale<T>& at, float p, uint8_t* mask, int64_t count, Stream stream);
template <typename T>
void apply_dropout(const MaskedScale<T>& at, const uint8_t* mask, int64_t count);

}  // namespace minidl::cpu
