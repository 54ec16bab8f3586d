// The steps of recurrent layers: what cpu/recurrent_*.cpp put between the products over all steps.
// Letters, shapes and formulas are those of cpu/recurrent.h.
//
// A step multiplies the state by w_hh and applies the gates to each tile of the product while it is
// in the first cache. w_hh is packed once a call into panels that the micro kernel of matrix
// products reads front to back.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu/isa.h"
#include "cpu/recurrent.h"

namespace minidl::cpu {

// How threads share the steps. By columns: each takes some hidden units through all steps with its
// part of w_hh, and waits for the others after every step. By rows: each takes some samples and all
// of w_hh, and never waits.
enum class Sharing { alone, columns, rows };

inline constexpr int64_t kRowsOfPiece = 16;  // samples that a thread takes along in Sharing::rows

// Depends on the shape of the layer and its gates alone, so that results do not depend on threads.
// Waiting is cheap: a core that keeps its columns of w_hh in its own cache gains more, but where
// all of w_hh fits into every core's, or has columns for one core only.
inline Sharing sharing_of(const RecurrentShape& s, int64_t gates) {
  const int64_t weights = gates * s.hidden * s.state;
  if (s.steps * s.batch * weights < 1'000'000) return Sharing::alone;  // some 20 microseconds
  const bool fits = weights <= 64 * 1024;
  return fits && s.batch >= 2 * kRowsOfPiece ? Sharing::rows : Sharing::columns;
}

// Elements of `gates` matrices [depth, columns] packed: a panel has at most 32 columns.
constexpr int64_t packed_size(int64_t gates, int64_t columns, int64_t depth) {
  return gates * ((columns + 31) / 32 * 32) * depth;
}

// Elements from row to row of an array that steps multiply. Rows that lie whole pages apart would
// meet in one set of the first cache.
constexpr int64_t padded_row(int64_t columns) {
  return columns % 256 == 0 ? columns + 16 : columns;
}

// Elements of working memory, 64-byte aligned, for the steps of a layer of G gates.
constexpr int64_t forward_work(const RecurrentShape& s, int64_t G, bool projected) {
  const int64_t projection = packed_size(1, s.state, s.hidden) + s.batch * s.hidden;
  return packed_size(G, s.hidden, s.state) + (projected ? projection : 0);
}
constexpr int64_t backward_work(const RecurrentShape& s, int64_t G, bool projected) {
  const int64_t projection = projected ? packed_size(1, s.hidden, s.state) : 0;
  const int64_t pieces = std::max<int64_t>((s.batch + kRowsOfPiece - 1) / kRowsOfPiece, 1);
  return packed_size(1, s.state, G * s.hidden) + projection + pieces * packed_size(8, s.hidden, 1);
}

template <typename T>
struct RecurrentSteps {
  // Forward: output (RNN) or gates hold the products of the inputs with w_ih and the biases, and
  // become states or activations. b_hn [H] is the part of b_hh that the reset gate scales, or null.
  void (*rnn)(const RecurrentShape& shape, Nonlinearity nonlinearity, const T* h0, const T* w_hh,
              T* output, T* work);
  void (*lstm)(const RecurrentShape& shape, const T* h0, const T* c0, const T* w_hh, const T* w_hr,
               T* output, T* gates, T* cells, T* work);
  void (*gru)(const RecurrentShape& shape, const T* h0, const T* w_hh, const T* b_hn, T* output,
              T* gates, T* hidden_n, T* work);

  // Backward: dz [T, N, padded_row(G H)] is the gradient of the pre-activations, db its sum over
  // steps and samples; dh0 [N, P] and dc0 [N, H] the gradients of the first states.
  void (*rnn_grad)(const RecurrentShape& shape, Nonlinearity nonlinearity,
                   const RecurrentUpstream<T>& upstream, const T* w_hh, const T* output, T* dz,
                   T* db, T* dh0, T* work);
  // dstate [T, N, P]: the gradient of each step's projected state; null without w_hr.
  void (*lstm_grad)(const RecurrentShape& shape, const RecurrentUpstream<T>& upstream, const T* c0,
                    const T* w_hh, const T* w_hr, const T* gates, const T* cells, T* dz, T* dstate,
                    T* db, T* dh0, T* dc0, T* work);
  // dz [T, N, padded_row(4 H)] in the order n r z m, where m belongs to hidden_n: the columns n r z
  // are the gradient of W_ih x + b_ih, the columns r z m that of W_hh h + b_hh.
  void (*gru_grad)(const RecurrentShape& shape, const RecurrentUpstream<T>& upstream, const T* h0,
                   const T* w_hh, const T* output, const T* gates, const T* hidden_n, T* dz, T* db,
                   T* dh0, T* work);

  // hidden [T, N, H] = o tanh(c): an LSTM's states before their projection.
  void (*lstm_hidden)(const RecurrentShape& shape, const T* gates, const T* cells, T* hidden);
};
MINIDL_KERNEL_TABLES(RecurrentSteps, recurrent_steps)

}  // namespace minidl::cpu
