// Rows of a table by index, and the gradient of the table, float and double. Arrays are contiguous;
// indices lie in [0, rows) (see first_out_of_range). The same bits for any number of threads.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace minidl::cpu {

struct Embedding {
  int64_t rows, width;  // of the table
  int64_t count;        // of the indices
  int64_t padding;      // a row whose gradient is zero; -1: none
  bool divide_by_uses;  // the gradient of a row is a mean over its uses, not a sum
};

struct Bags {
  int64_t rows, width;  // of the table
  int64_t count, size;  // of the bags: indices[count, size] with weights[count, size]
};

template <typename T>
struct EmbeddingKernels {
  // output[count, width] = table[indices[count]]
  void (*embedding)(const Embedding& p, const int64_t* indices, const T* table, T* output);

  // grad_table[rows, width] = the sum of the rows of grad[count, width] where a row was used, in
  // the order of the indices; zero where it was not.
  void (*embedding_backward)(const Embedding& p, const int64_t* indices, const T* grad,
                             T* grad_table);

  // The sum over bags b and their indices k of weights[b, k] grad[b] . table[indices[b, k]], by
  // what it is linear in: output[count, width] by grad, grad_table[rows, width] by the table,
  // grad_weights[count, size] by the weights.
  void (*bag_rows)(const Bags& p, const int64_t* indices, const T* weights, const T* table,
                   T* output);
  void (*bag_table)(const Bags& p, const T* grad, const int64_t* indices, const T* weights,
                    T* grad_table);
  void (*bag_weights)(const Bags& p, const T* grad, const int64_t* indices, const T* table,
                      T* grad_weights);
};
MINIDL_KERNEL_TABLES(EmbeddingKernels, embedding_kernels)

}  // namespace minidl::cpu
