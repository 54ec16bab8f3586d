// The steps of a GRU, and those of its gradient.
#pragma once

#include "cpu/simd/recurrent_tile.h"

namespace minidl::cpu::MINIDL_ISA {

template <typename T>
class GruForward {
 public:
  GruForward(const RecurrentShape& shape, const T* h0, const T* w_hh, const T* b_hn, T* output,
             T* gates, T* hidden_n, T* work)
      : s_(shape),
        h0_(h0),
        b_hn_(b_hn),
        output_(output),
        gates_(gates),
        hidden_n_(hidden_n),
        panels_({w_hh, s_.hidden, 1}, s_.hidden, s_.hidden, work) {}

  void run() {
    const Sharing sharing = sharing_of(s_, 3);
    walk(
        sharing, s_.steps, panels_.blocks(), s_.batch, [&](int64_t block) { panels_.pack(block); },
        [&](int64_t k, int64_t block, int64_t begin, int64_t end) { cell(k, block, begin, end); });
  }

 private:
  void cell(int64_t k, int64_t block, int64_t begin, int64_t end) const {
    const int64_t H = s_.hidden, row = s_.step(k) * s_.batch, first = block * kBlock<T>;
    const T* h = k == 0 ? h0_ : output_ + s_.step(k - 1) * s_.batch * H;
    for_tiles<T>(begin, end, [&](int64_t n, int64_t rows) {
      T* z = gates_ + (row + n) * 3 * H + first;
      for (int64_t gate = 0; gate < 3; ++gate) {
        prefetch_rows(z + gate * H, rows, 3 * H, panels_.width(block));
      }
      Sums<T, 3> sums;
      panels_.multiply(block, rows, h + n * H, H, sums);
      for (int64_t i = 0; i < rows; ++i) {
        for_vectors<T>(panels_.width(block), [&](int64_t j, auto part) {
          const int64_t at = (n + i) * H + first + j;
          unit(part, sums, i, j, first + j, z + i * 3 * H + j, h + at, hidden_n_ + row * H + at,
               output_ + row * H + at);
        });
      }
    });
  }

  // One vector of hidden units of one sample; z holds W_ih x + b_ih (and b_hh for r and z).
  template <typename Part>
  MINIDL_INLINE void unit(Part part, const Sums<T, 3>& sums, int64_t row, int64_t j, int64_t column,
                          T* z, const T* h, T* hidden_n, T* h_next) const {
    const int64_t H = s_.hidden;
    const Vec<T> reset = sigmoid(part.get(z) + load(&sums.data[0][row][j]));
    const Vec<T> update = sigmoid(part.get(z + H) + load(&sums.data[1][row][j]));
    const Vec<T> from_hidden = load(&sums.data[2][row][j]) + part.get_any(b_hn_, column);
    const Vec<T> n = tanh(part.get(z + 2 * H) + reset * from_hidden);
    part.put(z, reset);
    part.put(z + H, update);
    part.put(z + 2 * H, n);
    part.put(hidden_n, from_hidden);
    part.put(h_next, (T(1) - update) * n + update * part.get(h));
  }

  const RecurrentShape& s_;
  const T *h0_, *b_hn_;
  T *output_, *gates_, *hidden_n_;
  GatePanels<T, 3> panels_;
};

template <typename T>
void gru(const RecurrentShape& shape, const T* h0, const T* w_hh, const T* b_hn, T* output,
         T* gates, T* hidden_n, T* work) {
  GruForward<T>(shape, h0, w_hh, b_hn, output, gates, hidden_n, work).run();
}

template <typename T>
class GruBackward {
 public:
  GruBackward(const RecurrentShape& shape, const RecurrentUpstream<T>& upstream, const T* h0,
              const T* w_hh, const T* output, const T* gates, const T* hidden_n, T* dz, T* dh,
              T* work)
      : s_(shape),
        upstream_(upstream),
        h0_(h0),
        output_(output),
        gates_(gates),
        hidden_n_(hidden_n),
        dz_(dz),
        dh_(dh),
        sharing_(sharing_of(s_, 3)),
        panels_({w_hh, 1, s_.hidden}, s_.hidden, 3 * s_.hidden, work),
        sums_(pieces_of(sharing_, s_.batch), s_.hidden,
              work + packed_size(1, s_.hidden, 3 * s_.hidden)) {}

  void run(T* db) {
    walk(
        sharing_, s_.steps + 1, panels_.blocks(), s_.batch,
        [&](int64_t block) { panels_.pack(block); },
        [&](int64_t phase, int64_t block, int64_t begin, int64_t end) {
          step(s_.steps - 1 - phase, block, begin, end);
        });
    sums_.finish(db);
  }

 private:
  // dz of a block of the k-th step, and in dh what passes it by; for k = -1 dh alone.
  void step(int64_t k, int64_t block, int64_t begin, int64_t end) const {
    const int64_t H = s_.hidden, lda = padded_row(4 * H), first = block * kBlock<T>;
    const bool last = k == s_.steps - 1;
    const int64_t row = k < 0 ? 0 : s_.step(k) * s_.batch;
    const int64_t after = last ? 0 : s_.step(k + 1) * s_.batch;
    const T* before = k <= 0 ? h0_ : output_ + s_.step(k - 1) * s_.batch * H;
    for_tiles<T>(begin, end, [&](int64_t n, int64_t rows) {
      const T* gates = gates_ + (row + n) * 3 * H + first;
      for (int64_t gate = 0; k >= 0 && gate < 3; ++gate) {
        prefetch_rows(gates + gate * H, rows, 3 * H, panels_.width(block));
      }
      Sums<T, 1> sums;
      if (!last) panels_.multiply(block, rows, dz_ + (after + n) * lda + H, lda, sums);
      for_vectors<T>(panels_.width(block), [&](int64_t j, auto part) {
        Vec<T> totals[4] = {};
        for (int64_t i = 0; i < rows; ++i) {
          const int64_t at = (n + i) * H + first + j;
          Vec<T> dh = part.get(dh_ + at);
          if (!last) dh += load(&sums.data[0][i][j]);
          if (k < 0) {
            part.put(dh_ + at, dh);
            continue;
          }
          dh += part.get_any(upstream_.output, row * H + at);
          unit(part, dh, gates + i * 3 * H + j, hidden_n_ + row * H + at, before + at, dh_ + at,
               dz_ + (row + n + i) * lda + first + j, totals);
        }
        if (k >= 0) sums_.add(begin / kRowsOfPiece, first + j, totals);
      });
    });
  }

  template <typename Part>
  MINIDL_INLINE void unit(Part part, Vec<T> dh, const T* gates, const T* hidden_n, const T* before,
                          T* passed, T* dz, Vec<T> (&totals)[4]) const {
    const int64_t H = s_.hidden;
    const Vec<T> r = part.get(gates), z = part.get(gates + H), n = part.get(gates + 2 * H);
    const Vec<T> dn = dh * (T(1) - z) * (T(1) - n * n);
    const Vec<T> grads[4] = {dn, dn * part.get(hidden_n) * r * (T(1) - r),
                             dh * (part.get(before) - n) * z * (T(1) - z), dn * r};
#pragma GCC unroll 4
    for (int gate = 0; gate < 4; ++gate) {
      part.put(dz + gate * H, grads[gate]);
      totals[gate] += grads[gate];
    }
    part.put(passed, dh * z);
  }

  const RecurrentShape& s_;
  const RecurrentUpstream<T>& upstream_;
  const T *h0_, *output_, *gates_, *hidden_n_;
  T *dz_, *dh_;
  Sharing sharing_;
  GatePanels<T, 1> panels_;
  BiasSums<T, 4> sums_;
};

template <typename T>
void gru_grad(const RecurrentShape& shape, const RecurrentUpstream<T>& upstream, const T* h0,
              const T* w_hh, const T* output, const T* gates, const T* hidden_n, T* dz, T* db,
              T* dh0, T* work) {
  const int64_t count = shape.batch * shape.hidden;
  for (int64_t i = 0; i < count; ++i) dh0[i] = upstream.h_n == nullptr ? T(0) : upstream.h_n[i];
  GruBackward<T>(shape, upstream, h0, w_hh, output, gates, hidden_n, dz, dh0, work).run(db);
}

}  // namespace minidl::cpu::MINIDL_ISA
