// Between lstm_step.cpp, which checks, and the kernels in lstm_step_fused.cu.
#pragma once

#include <cstdint>

#include "cuda/stream.h"

namespace minidl::cuda {

// A strided matrix, or null.
template <class T>
struct Matrix {
  T* data;
  std::int64_t row, column;  // strides, in elements
};

template <class T>
struct LstmForward {
  std::int64_t batch, features;
  Matrix<const T> from_input, from_hidden, b_ih, b_hh, c_before;  // the biases with row stride 0
  Matrix<T> gates, c, h;
};

template <class T>
struct LstmBackward {
  std::int64_t batch, features;
  Matrix<const T> dh, doutput, dc, gates, c, c_before;
  Matrix<T> dz, dc_before;
};

template <class T>
void lstm_forward(const LstmForward<T>& problem, Stream stream);
template <class T>
void lstm_backward(const LstmBackward<T>& problem, Stream stream);

}  // namespace minidl::cuda
