// The steps of an LSTM.
#pragma once

#include "cpu/simd/recurrent_tile.h"

namespace minidl::cpu::MINIDL_ISA {

template <typename T>
class LstmForward {
 public:
  LstmForward(const RecurrentShape& shape, const T* h0, const T* c0, const T* w_hh, const T* w_hr,
              T* output, T* gates, T* cells, T* work)
      : s_(shape),
        h0_(h0),
        c0_(c0),
        output_(output),
        gates_(gates),
        cells_(cells),
        projected_(w_hr != nullptr),
        recurrent_({w_hh, s_.state, 1}, s_.hidden, s_.state, work),
        projection_({w_hr, s_.hidden, 1}, s_.state, s_.hidden,
                    work + packed_size(4, s_.hidden, s_.state)),
        hidden_(work + packed_size(4, s_.hidden, s_.state) + packed_size(1, s_.state, s_.hidden)) {}

  void run() {
    const int64_t hidden_blocks = recurrent_.blocks(), state_blocks = projection_.blocks();
    const int64_t blocks =
        projected_ && state_blocks > hidden_blocks ? state_blocks : hidden_blocks;
    const int64_t phases = projected_ ? 2 * s_.steps : s_.steps;
    const Sharing sharing = sharing_of(s_, 4);
    const auto pack = [&](int64_t block) {
      if (block < hidden_blocks) recurrent_.pack(block);
      if (projected_ && block < state_blocks) projection_.pack(block);
    };
    walk(sharing, phases, blocks, s_.batch, pack,
         [&](int64_t phase, int64_t block, int64_t begin, int64_t end) {
           if (!projected_) return cell(phase, block, begin, end);
           if (phase % 2 == 0 && block < hidden_blocks) cell(phase / 2, block, begin, end);
           if (phase % 2 == 1 && block < state_blocks) project(phase / 2, block, begin, end);
         });
  }

 private:
  // The k-th step of a block of hidden units: gates, cells, and states (before their projection).
  void cell(int64_t k, int64_t block, int64_t begin, int64_t end) const {
    const int64_t H = s_.hidden, P = s_.state, row = s_.step(k) * s_.batch;
    const int64_t before = k == 0 ? 0 : s_.step(k - 1) * s_.batch, first = block * kBlock<T>;
    const T* h = k == 0 ? h0_ : output_ + before * P;
    const T* c = k == 0 ? c0_ : cells_ + before * H;
    for_tiles<T>(begin, end, [&](int64_t n, int64_t rows) {
      T* z = gates_ + (row + n) * 4 * H + first;
      for (int64_t gate = 0; gate < 4; ++gate) {
        prefetch_rows(z + gate * H, rows, 4 * H, recurrent_.width(block));
      }
      T* result = projected_ ? hidden_ + n * H : output_ + (row + n) * H;
      prefetch_rows(cells_ + (row + n) * H + first, rows, H, recurrent_.width(block));
      prefetch_rows(result + first, rows, H, recurrent_.width(block));
      Sums<T, 4> sums;
      recurrent_.multiply(block, rows, h + n * P, P, sums);
      // Two passes: the tanh of a cell waits for its gates, and what a core can look ahead holds
      // the gates of a few vectors or the tanh of many.
      for (int64_t i = 0; i < rows; ++i) {
        for_vectors<T>(recurrent_.width(block), [&](int64_t j, auto part) {
          cell_unit(part, sums, i, j, z + i * 4 * H + j, c + (n + i) * H + first + j,
                    cells_ + (row + n + i) * H + first + j);
        });
      }
      for (int64_t i = 0; i < rows; ++i) {
        for_vectors<T>(recurrent_.width(block), [&](int64_t j, auto part) {
          const Vec<T> next = load(&sums.data[0][i][j]), o = load(&sums.data[3][i][j]);
          part.put(result + i * H + first + j, o * tanh(next));
        });
      }
    });
  }

  // One vector of hidden units of one sample: z becomes gates, c = f c_before + i g. Leaves c and o
  // in the sums of gates 0 and 3.
  template <typename Part>
  MINIDL_INLINE void cell_unit(Part part, Sums<T, 4>& sums, int64_t row, int64_t j, T* z,
                               const T* c_before, T* c) const {
    const int64_t H = s_.hidden;
    const Vec<T> i = sigmoid(part.get(z) + load(&sums.data[0][row][j]));
    const Vec<T> f = sigmoid(part.get(z + H) + load(&sums.data[1][row][j]));
    const Vec<T> g = tanh(part.get(z + 2 * H) + load(&sums.data[2][row][j]));
    const Vec<T> o = sigmoid(part.get(z + 3 * H) + load(&sums.data[3][row][j]));
    const Vec<T> next = f * part.get(c_before) + i * g;
    part.put(z, i);
    part.put(z + H, f);
    part.put(z + 2 * H, g);
    part.put(z + 3 * H, o);
    part.put(c, next);
    store(&sums.data[0][row][j], next);
    store(&sums.data[3][row][j], o);
  }

  // A block of columns of the k-th step's state = hidden w_hr^T.
  void project(int64_t k, int64_t block, int64_t begin, int64_t end) const {
    const int64_t H = s_.hidden, P = s_.state, row = s_.step(k) * s_.batch;
    for_tiles<T>(begin, end, [&](int64_t n, int64_t rows) {
      Sums<T, 1> sums;
      projection_.multiply(block, rows, hidden_ + n * H, H, sums);
      T* to = output_ + (row + n) * P + block * kBlock<T>;
      for (int64_t i = 0; i < rows; ++i) {
        for_vectors<T>(projection_.width(block), [&](int64_t j, auto part) {
          part.put(to + i * P + j, load(&sums.data[0][i][j]));
        });
      }
    });
  }

  const RecurrentShape& s_;
  const T *h0_, *c0_;
  T *output_, *gates_, *cells_;
  bool projected_;
  GatePanels<T, 4> recurrent_;
  GatePanels<T, 1> projection_;
  T* hidden_;  // [N, H]: the states of a step before their projection
};

template <typename T>
void lstm(const RecurrentShape& shape, const T* h0, const T* c0, const T* w_hh, const T* w_hr,
          T* output, T* gates, T* cells, T* work) {
  LstmForward<T>(shape, h0, c0, w_hh, w_hr, output, gates, cells, work).run();
}

template <typename T>
void lstm_hidden(const RecurrentShape& shape, const T* gates, const T* cells, T* hidden) {
  const int64_t H = shape.hidden;
  parallel_for(shape.steps * shape.batch, 96, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      for_vectors<T>(H, [&](int64_t j, auto part) {
        const Vec<T> o = part.get(gates + row * 4 * H + 3 * H + j);
        part.put(hidden + row * H + j, o * tanh(part.get(cells + row * H + j)));
      });
    }
  });
}

}  // namespace minidl::cpu::MINIDL_ISA
