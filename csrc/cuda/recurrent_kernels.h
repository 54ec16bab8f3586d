// Between recurrent.cpp, which checks and walks over the steps, and the kernels of a step.
#pragma once

#include <cstdint>

#include "cuda/stream.h"

namespace minidl::cuda {

// A strided matrix [N, gates H], or null.
template <class T>
struct Matrix {
  T* data;
  std::int64_t row, column;  // strides, in elements
};

struct StepSize {
  std::int64_t batch, features;  // N, H
};

template <class T>
struct RnnStepGrad {
  StepSize size;
  bool relu;
  Matrix<const T> dh, doutput;  // either may be null
  Matrix<const T> output;
  Matrix<T> dz;
};

template <class T>
struct LstmStep {
  StepSize size;
  Matrix<T> gates;  // in: the sums
  Matrix<const T> c_before;
  Matrix<T> c, h;
};

template <class T>
struct LstmStepGrad {
  StepSize size;
  Matrix<const T> dh, doutput, dc;  // each may be null
  Matrix<const T> gates, c, c_before;
  Matrix<T> dz, dc_before;  // dc_before may be dc
};

template <class T>
struct GruStep {
  StepSize size;
  Matrix<T> gates;  // in: W_ih x + b_ih
  Matrix<const T> from_hidden, h_before;
  Matrix<T> hidden_n, h;
};

template <class T>
struct GruStepGrad {
  StepSize size;
  Matrix<const T> dh, doutput;  // either may be null
  Matrix<const T> gates, hidden_n, h_before;
  Matrix<T> dz_input, dz_hidden;
  Matrix<T> dh_before;  // but for what comes through W_hh; may be dh
};

template <class T>
void rnn_step_grad(const RnnStepGrad<T>& step, Stream stream);
template <class T>
void lstm_step(const LstmStep<T>& step, Stream stream);
template <class T>
void lstm_step_grad(const LstmStepGrad<T>& step, Stream stream);
template <class T>
void gru_step(const GruStep<T>& step, Stream stream);
template <class T>
void gru_step_grad(const GruStepGrad<T>& step, Stream stream);

}  // namespace minidl::cuda
