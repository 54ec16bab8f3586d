// The steps of an LSTM's gradient, from the last to the first.
#pragma once

#include "cpu/simd/recurrent_tile.h"

namespace minidl::cpu::MINIDL_ISA {

template <typename T>
class LstmBackward {
 public:
  LstmBackward(const RecurrentShape& shape, const RecurrentUpstream<T>& upstream, const T* c0,
               const T* w_hh, const T* w_hr, const T* gates, const T* cells, T* dz, T* dstate,
               T* dh0, T* dc, T* work)
      : s_(shape),
        upstream_(upstream),
        c0_(c0),
        gates_(gates),
        cells_(cells),
        dz_(dz),
        dstate_(dstate),
        dh0_(dh0),
        dc_(dc),
        projected_(w_hr != nullptr),
        sharing_(sharing_of(s_, 4)),
        recurrent_({w_hh, 1, s_.state}, s_.state, 4 * s_.hidden, work),
        projection_({w_hr, 1, s_.hidden}, s_.hidden, s_.state,
                    work + packed_size(1, s_.state, 4 * s_.hidden)),
        sums_(pieces_of(sharing_, s_.batch), s_.hidden,
              work + packed_size(1, s_.state, 4 * s_.hidden) +
                  (projected_ ? packed_size(1, s_.hidden, s_.state) : 0)) {}

  void run(T* db) {
    const int64_t T_ = s_.steps, state_blocks = recurrent_.blocks();
    const int64_t hidden_blocks = projection_.blocks();
    const int64_t blocks = hidden_blocks > state_blocks ? hidden_blocks : state_blocks;
    const auto pack = [&](int64_t block) {
      if (block < state_blocks) recurrent_.pack(block);
      if (projected_ && block < hidden_blocks) projection_.pack(block);
    };
    walk(sharing_, (projected_ ? 2 * T_ : T_) + 1, blocks, s_.batch, pack,
         [&](int64_t phase, int64_t block, int64_t begin, int64_t end) {
           const int64_t k = T_ - 1 - (projected_ ? phase / 2 : phase);
           const bool state = projected_ ? phase % 2 == 0 : k < 0;
           if (state && block < state_blocks) store_state(k, block, begin, end);
           if (!state && block < hidden_blocks) cell(k, block, begin, end);
         });
    sums_.finish(db);
  }

 private:
  int64_t row_of(int64_t k) const { return s_.step(k) * s_.batch; }

  // sums = the gradient of a block of the state after the k-th step, k = -1 for the first one.
  MINIDL_INLINE void state(int64_t k, int64_t block, int64_t n, int64_t rows,
                           Sums<T, 1>& sums) const {
    const int64_t P = s_.state, lda = padded_row(4 * s_.hidden), first = block * kBlock<T>;
    const T* above = upstream_.output == nullptr || k < 0
                         ? nullptr
                         : upstream_.output + (row_of(k) + n) * P + first;
    const bool last = k == s_.steps - 1;
    const T* last_above =
        last && upstream_.h_n != nullptr ? upstream_.h_n + n * P + first : nullptr;
    if (!last) recurrent_.multiply(block, rows, dz_ + (row_of(k + 1) + n) * lda, lda, sums);
    if (!last && above == nullptr) return;
    for (int64_t i = 0; i < rows; ++i) {
      for_vectors<T>(recurrent_.width(block), [&](int64_t j, auto part) {
        T* sum = &sums.data[0][i][j];
        const Vec<T> passed = last ? part.get_any(last_above, i * P + j) : load(sum);
        store(sum, passed + part.get_any(above, i * P + j));
      });
    }
  }

  void store_state(int64_t k, int64_t block, int64_t begin, int64_t end) const {
    const int64_t P = s_.state;
    T* to = (k < 0 ? dh0_ : dstate_ + row_of(k) * P) + block * kBlock<T>;
    for_tiles<T>(begin, end, [&](int64_t n, int64_t rows) {
      Sums<T, 1> sums;
      state(k, block, n, rows, sums);
      for (int64_t i = 0; i < rows; ++i) {
        for_vectors<T>(recurrent_.width(block), [&](int64_t j, auto part) {
          part.put(to + (n + i) * P + j, load(&sums.data[0][i][j]));
        });
      }
    });
  }

  void cell(int64_t k, int64_t block, int64_t begin, int64_t end) const {
    const int64_t H = s_.hidden, row = row_of(k), lda = padded_row(4 * H);
    const int64_t first = block * kBlock<T>, width = projection_.width(block);
    const T* c_before = k == 0 ? c0_ : cells_ + row_of(k - 1) * H;
    for_tiles<T>(begin, end, [&](int64_t n, int64_t rows) {
      const T* gates = gates_ + (row + n) * 4 * H + first;
      for (int64_t gate = 0; gate < 4; ++gate) {
        prefetch_rows(gates + gate * H, rows, 4 * H, width);
        prefetch_rows(dz_ + (row + n) * lda + gate * H + first, rows, lda, width);
      }
      Sums<T, 1> sums;
      if (projected_) {
        projection_.multiply(block, rows, dstate_ + (row + n) * s_.state, s_.state, sums);
      } else {
        state(k, block, n, rows, sums);
      }
      for_vectors<T>(width, [&](int64_t j, auto part) {
        Vec<T> totals[4] = {};
        for (int64_t i = 0; i < rows; ++i) {
          const int64_t at = (n + i) * H + first + j;
          unit(part, load(&sums.data[0][i][j]), gates + i * 4 * H + j, c_before + at,
               cells_ + row * H + at, dc_ + at, dz_ + (row + n + i) * lda + first + j, totals);
        }
        sums_.add(begin / kRowsOfPiece, first + j, totals);
      });
    });
  }

  // dh and dc arrive; dz is the gradient of the pre-activations and dc becomes that of c_before.
  template <typename Part>
  MINIDL_INLINE void unit(Part part, Vec<T> dh, const T* gates, const T* c_before, const T* c,
                          T* dc, T* dz, Vec<T> (&totals)[4]) const {
    const int64_t H = s_.hidden;
    const Vec<T> i = part.get(gates), f = part.get(gates + H), g = part.get(gates + 2 * H);
    const Vec<T> o = part.get(gates + 3 * H), tanh_c = tanh(part.get(c));
    const Vec<T> d = part.get(dc) + dh * o * (T(1) - tanh_c * tanh_c);
    const Vec<T> grads[4] = {d * g * i * (T(1) - i), d * part.get(c_before) * f * (T(1) - f),
                             d * i * (T(1) - g * g), dh * tanh_c * o * (T(1) - o)};
#pragma GCC unroll 4
    for (int gate = 0; gate < 4; ++gate) {
      part.put(dz + gate * H, grads[gate]);
      totals[gate] += grads[gate];
    }
    part.put(dc, d * f);
  }

  const RecurrentShape& s_;
  const RecurrentUpstream<T>& upstream_;
  const T *c0_, *gates_, *cells_;
  T *dz_, *dstate_, *dh0_, *dc_;
  bool projected_;
  Sharing sharing_;
  GatePanels<T, 1> recurrent_, projection_;
  BiasSums<T, 4> sums_;
};

template <typename T>
void lstm_grad(const RecurrentShape& shape, const RecurrentUpstream<T>& upstream, const T* c0,
               const T* w_hh, const T* w_hr, const T* gates, const T* cells, T* dz, T* dstate,
               T* db, T* dh0, T* dc0, T* work) {
  const int64_t count = shape.batch * shape.hidden;
  for (int64_t i = 0; i < count; ++i) dc0[i] = upstream.c_n == nullptr ? T(0) : upstream.c_n[i];
  LstmBackward<T>(shape, upstream, c0, w_hh, w_hr, gates, cells, dz, dstate, dh0, dc0, work)
      .run(db);
}

}  // namespace minidl::cpu::MINIDL_ISA
