// The steps of an Elman network, and those of its gradient.
#pragma once

#include "cpu/simd/recurrent_tile.h"

namespace minidl::cpu::MINIDL_ISA {

template <typename T>
void rnn(const RecurrentShape& shape, Nonlinearity nonlinearity, const T* h0, const T* w_hh,
         T* output, T* work) {
  const int64_t N = shape.batch, H = shape.hidden;
  const GatePanels<T, 1> panels({w_hh, H, 1}, H, H, work);
  const auto step = [&](int64_t k, int64_t block, int64_t begin, int64_t end) {
    const T* h = k == 0 ? h0 : output + shape.step(k - 1) * N * H;
    T* z = output + shape.step(k) * N * H + block * kBlock<T>;
    const auto activate = [&](const auto& f) {
      for_tiles<T>(begin, end, [&](int64_t n, int64_t rows) {
        prefetch_rows(z + n * H, rows, H, panels.width(block));
        Sums<T, 1> sums;
        panels.multiply(block, rows, h + n * H, H, sums);
        for (int64_t i = 0; i < rows; ++i) {
          for_vectors<T>(panels.width(block), [&](int64_t j, auto part) {
            T* at = z + (n + i) * H + j;
            part.put(at, f(part.get(at) + load(&sums.data[0][i][j])));
          });
        }
      });
    };
    if (nonlinearity == Nonlinearity::kTanh) {
      activate([](Vec<T> x) { return tanh(x); });
    } else {
      activate([](Vec<T> x) { return x < T(0) ? Vec<T>{} : x; });  // NaN stays NaN
    }
  };
  walk(
      sharing_of(shape, 1), shape.steps, panels.blocks(), N,
      [&](int64_t block) { panels.pack(block); }, step);
}

template <typename T>
class RnnBackward {
 public:
  RnnBackward(const RecurrentShape& shape, Nonlinearity nonlinearity,
              const RecurrentUpstream<T>& upstream, const T* w_hh, const T* output, T* dz, T* dh0,
              T* work)
      : s_(shape),
        upstream_(upstream),
        is_tanh_(nonlinearity == Nonlinearity::kTanh),
        output_(output),
        dz_(dz),
        dh0_(dh0),
        sharing_(sharing_of(s_, 1)),
        panels_({w_hh, 1, s_.hidden}, s_.hidden, s_.hidden, work),
        sums_(pieces_of(sharing_, s_.batch), s_.hidden,
              work + packed_size(1, s_.hidden, s_.hidden)) {}

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
  // dz of a block of the k-th step; the gradient of the first state for k = -1.
  void step(int64_t k, int64_t block, int64_t begin, int64_t end) const {
    const int64_t H = s_.hidden, lda = padded_row(H), width = panels_.width(block);
    const bool last = k == s_.steps - 1;
    const int64_t row = k < 0 ? 0 : s_.step(k) * s_.batch;
    const int64_t after = last ? 0 : s_.step(k + 1) * s_.batch;
    for_tiles<T>(begin, end, [&](int64_t n, int64_t rows) {
      Sums<T, 1> sums;
      if (!last) panels_.multiply(block, rows, dz_ + (after + n) * lda, lda, sums);
      for_vectors<T>(width, [&](int64_t j, auto part) {
        Vec<T> totals[1] = {};
        const int64_t column = block * kBlock<T> + j;
        for (int64_t i = 0; i < rows; ++i) {
          const int64_t state = (n + i) * H + column;
          const Vec<T> dh = last ? part.get_any(upstream_.h_n, state) : load(&sums.data[0][i][j]);
          if (k < 0) {
            part.put(dh0_ + state, dh);
          } else {
            const Vec<T> dz = unit(part.get(output_ + row * H + state),
                                   dh + part.get_any(upstream_.output, row * H + state));
            part.put(dz_ + (row + n + i) * lda + column, dz);
            totals[0] += dz;
          }
        }
        if (k >= 0) sums_.add(begin / kRowsOfPiece, column, totals);
      });
    });
  }

  MINIDL_INLINE Vec<T> unit(Vec<T> h, Vec<T> dh) const {
    const Vec<T> slope = is_tanh_ ? T(1) - h * h : (h > T(0) ? same<Vec<T>>(1) : Vec<T>{});
    return dh * slope;
  }

  const RecurrentShape& s_;
  const RecurrentUpstream<T>& upstream_;
  bool is_tanh_;
  const T* output_;
  T *dz_, *dh0_;
  Sharing sharing_;
  GatePanels<T, 1> panels_;
  BiasSums<T, 1> sums_;
};

template <typename T>
void rnn_grad(const RecurrentShape& shape, Nonlinearity nonlinearity,
              const RecurrentUpstream<T>& upstream, const T* w_hh, const T* output, T* dz, T* db,
              T* dh0, T* work) {
  RnnBackward<T>(shape, nonlinearity, upstream, w_hh, output, dz, dh0, work).run(db);
}

}  // namespace minidl::cpu::MINIDL_ISA
