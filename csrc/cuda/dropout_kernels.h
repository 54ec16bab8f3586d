// Between dropout.cpp and dropout_masked.cu.
#pragma once

#include <cstdint>

#include "cuda/random.h"
#include "cuda/stream.h"
#include "cuda/walk.h"

namespace minidl::cuda {

template <class T>
struct DropoutArrays {
  const T* input;
  T* output;           // dense
  std::uint8_t* mask;  // written where the mask is drawn, dense then; else read
  Walk<2> walk;        // of input and mask, in C order
  T scale;
  float p;
  RandomStream random;
  bool packs;  // both are dense and aligned to packs
};

template <class T, bool drawn>
void dropout_masked(const DropoutArrays<T>& arrays, Stream stream);

}  // namespace minidl::cuda
