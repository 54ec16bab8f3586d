#include "cpu/attention.h"

#include <limits>

#include "cpu/attention_select.h"
#include "cpu/simd/gemm_blocks.h"
#include "cpu/simd/sweep.h"

namespace minidl::cpu::MINIDL_ISA {
namespace {

template <typename T>
constexpr T kNowhere = -std::numeric_limits<T>::infinity();

// Elements from a row of scores to the next: rows do not fall into the same sets of the first
// cache.
constexpr int64_t kPitch = kKeyBlock + 16;

// Memory of a task, handed out piece by piece.
template <typename T>
class Arena {
 public:
  explicit Arena(int64_t elements)
      : next_(static_cast<T*>(
            thread_scratch(Slot::attention, elements * static_cast<int64_t>(sizeof(T))))) {}
  T* take(int64_t elements) {
    T* piece = next_;
    next_ += elements;
    return piece;
  }

 private:
  T* next_;
};

// ------------------------------------------------------------------------------------------------
// Products
// ------------------------------------------------------------------------------------------------

// The right factor B[K, N] of several products, packed once; some of its columns or rows do as
// well.
template <typename T>
class Packed {
 public:
  static constexpr bool kReady = true;
  static int64_t room(int64_t K, int64_t N) { return room_for<kPanelB<T>>(N, K); }

  explicit Packed(T* memory) : data_(memory) {}
  void pack(int64_t K, int64_t N, const Matrix<T>& b) {
    depth_ = K;
    pack_panels<kPanelB<T>>(Lines<T>{b.data, b.col, b.row}, N, K, data_);
  }
  Panels<T> panels(int64_t first, int64_t, int64_t k, int64_t, T*) const {
    return {data_ + first * depth_ + k * kPanelB<T>, kPanelB<T> * depth_, kPanelB<T>};
  }

 private:
  T* data_;
  int64_t depth_ = 0;
};

template <typename T>
void multiply(const GemmShape& shape, const Matrix<T>& a, const Packed<T>& b, const RowsOut<T>& c,
              bool accumulate) {
  if (shape.M == 0 || shape.N == 0) return;
  const GemmResult<T> result{c.data, c.row, {.accumulate = accumulate}};
  multiply_range<T>(0, shape.M, 0, shape.N, shape.K, rows_of(a, shape), b, result);
}

template <typename T>
Matrix<T> from_row(const Matrix<T>& m, int64_t row) {
  return {m.data + row * m.row, m.row, m.col};
}
template <typename T>
Matrix<T> flipped(const Matrix<T>& m) {
  return {m.data, m.col, m.row};
}
template <typename T>
RowsOut<T> from_row(const RowsOut<T>& m, int64_t row) {
  return {m.data + row * m.row, m.row};
}

template <typename T>
void clear(const RowsOut<T>& m, Stretch rows, int64_t width) {
  for (int64_t i = rows.begin; i < rows.end; ++i) {
    for (int64_t j = 0; j < width; ++j) m.data[i * m.row + j] = T(0);
  }
}

// ------------------------------------------------------------------------------------------------
// Scores of a block of queries and one of keys
// ------------------------------------------------------------------------------------------------

struct Block {
  int64_t row, rows, key, keys;  // keys: those that some of the queries look at

  template <typename T>
  Block(const AttentionHead<T>& head, int64_t row_, int64_t last_row, int64_t key_,
        int64_t last_key)
      : row(row_), rows(smaller(kQueryBlock, last_row - row_)), key(key_), keys(last_key - key_) {
    if (head.causal) keys = smaller(keys, row + rows - key);
  }
  // Keys that query i of the block looks at.
  template <typename T>
  int64_t seen(const AttentionHead<T>& head, int64_t i) const {
    if (!head.causal) return keys;
    const int64_t until = row + i + 1 - key;
    return until < 0 ? 0 : smaller(until, keys);
  }
};

// body(begin, end) for the blocks of keys [begin, end).
template <typename Body>
MINIDL_INLINE void for_keys(Stretch keys, const Body& body) {
  for (int64_t key = keys.begin; key < keys.end; key += kKeyBlock) {
    body(key, smaller(keys.end, key + kKeyBlock));
  }
}

// The bias of `count` scores of a query as they follow each other in memory; `room` is for a copy.
template <typename T>
const T* bias_of(const AttentionHead<T>& head, int64_t query, int64_t key, int64_t count, T* room) {
  const Matrix<T>& bias = head.bias;
  if (bias.data == nullptr) return nullptr;
  const T* first = bias.data + query * bias.row + key * bias.col;
  if (bias.col == 1) return first;
  for (int64_t j = 0; j < count; ++j) room[j] = first[j * bias.col];
  return room;
}

// x = scale x + bias, in place; the largest. NaN may be passed over: it returns in the exponential.
template <typename T>
MINIDL_INLINE T finish_scores(T* x, int64_t count, T scale, const T* bias) {
  Chains<T> largest;
  for (auto& chain : largest.of) chain = splat(kNowhere<T>);
  const auto each = [&](const auto& added) {
    sweep<T>(count, [&](int64_t i, auto lanes, auto chain) {
      const Vec<T> score = only(added(i, lanes, load(x + i, lanes) * scale), lanes, kNowhere<T>);
      store(x + i, lanes, score);
      largest[chain] = max_or_b(score, largest[chain]);
    });
  };
  if (bias == nullptr) {
    each([](int64_t, auto, Vec<T> v) { return v; });
  } else {
    each([&](int64_t i, auto lanes, Vec<T> v) { return v + load(bias + i, lanes); });
  }
  return max_lanes<T>(
      max_or_b(max_or_b(largest.of[0], largest.of[1]), max_or_b(largest.of[2], largest.of[3])));
}

// x = exp(x - shift) for the first `count`, 0 for those up to `width`; the sum.
template <typename T>
MINIDL_INLINE T exponentials(T* x, int64_t count, int64_t width, T shift) {
  Chains<T> sum;
  sweep<T>(count, [&](int64_t i, auto lanes, auto chain) {
    const Vec<T> e = exp(load(x + i, lanes, kNowhere<T>) - shift);
    store(x + i, lanes, e);
    sum[chain] += e;
  });
  for (int64_t i = count; i < width; ++i) x[i] = T(0);
  return sum.sum();
}

// What to subtract from a row's scores before exp: nothing from a row that looks nowhere.
template <typename T>
MINIDL_INLINE T shift_of(T largest) {
  return largest == kNowhere<T> ? T(0) : largest;
}

template <typename T>
MINIDL_INLINE void scale_row(T* x, int64_t width, T factor) {
  sweep<T>(width,
           [&](int64_t i, auto lanes, auto) { store(x + i, lanes, load(x + i, lanes) * factor); });
}

// ------------------------------------------------------------------------------------------------
// Forward
// ------------------------------------------------------------------------------------------------

// What is known of the rows of a task: the largest score so far, and the sum of the exponentials of
// the scores less it.
template <typename T>
struct Running {
  T *largest, *total;
};

// The scores of a block as weights; the rows of `out`, which hold the keys before, follow where the
// largest score grows.
template <typename T>
void weigh(const AttentionHead<T>& head, const Block& block, T* scores, T* bias_room,
           const Running<T>& running, const RowsOut<T>& out) {
  for (int64_t i = 0; i < block.rows; ++i) {
    T* x = scores + i * kPitch;
    const int64_t seen = block.seen(head, i);
    const T* bias = bias_of(head, block.row + i, block.key, seen, bias_room);
    const T before = running.largest[i];
    const T largest = max_or_b(finish_scores(x, seen, head.scale, bias), before);
    const T shift = shift_of(largest);
    const T sum = exponentials(x, seen, block.keys, shift);
    running.largest[i] = largest;
    if (block.key == 0) {
      running.total[i] = sum;
      continue;
    }
    const T shrunk = exp(splat(before - shift))[0];
    running.total[i] = running.total[i] * shrunk + sum;
    if (shrunk != T(1)) scale_row(out.data + i * out.row, head.value_width, shrunk);
  }
}

template <typename T>
void forward(const AttentionHead<T>& head, Stretch queries, const RowsOut<T>& out, T* lse) {
  const int64_t E = head.width, V = head.value_width, count = queries.end - queries.begin;
  const int64_t keys_room = Packed<T>::room(E, kKeyBlock),
                values_room = Packed<T>::room(kKeyBlock, V);
  Arena<T> arena(keys_room + values_room + kQueryBlock * kPitch + kKeyBlock + 2 * count);
  Packed<T> keys(arena.take(keys_room)), values(arena.take(values_room));
  T* const scores = arena.take(kQueryBlock * kPitch);
  T* const bias_room = arena.take(kKeyBlock);
  const Running<T> running{arena.take(count), arena.take(count)};
  for (int64_t i = 0; i < count; ++i) running.largest[i] = kNowhere<T>, running.total[i] = T(0);
  for_keys({0, head.causal ? smaller(head.keys, queries.end) : head.keys}, [&](int64_t key,
                                                                               int64_t last) {
    keys.pack(E, last - key, flipped(from_row(head.key, key)));
    values.pack(last - key, V, from_row(head.value, key));
    for (int64_t row = queries.begin; row < queries.end; row += kQueryBlock) {
      const Block block(head, row, queries.end, key, last);
      if (block.keys <= 0) continue;
      const int64_t at = row - queries.begin;
      const RowsOut<T> rows = from_row(out, row);
      multiply({block.rows, block.keys, E}, from_row(head.query, row), keys, {scores, kPitch},
               false);
      weigh(head, block, scores, bias_room, {running.largest + at, running.total + at}, rows);
      multiply({block.rows, V, block.keys}, {scores, kPitch, 1}, values, rows, key > 0);
    }
  });
  for (int64_t i = 0; i < count; ++i) {
    const int64_t row = queries.begin + i;
    const T total = running.total[i];
    if (total == T(0)) {
      clear(out, {row, row + 1}, V);
      lse[row] = kNowhere<T>;
    } else {
      scale_row(out.data + row * out.row, V, T(1) / total);
      lse[row] = running.largest[i] + log(splat(total))[0];
    }
  }
}

// ------------------------------------------------------------------------------------------------
// Gradients
// ------------------------------------------------------------------------------------------------

// grad . out, row by row: what the softmax's gradient subtracts.
template <typename T>
T dot_of_row(const Matrix<T>& a, const Matrix<T>& b, int64_t row, int64_t width) {
  const T *x = a.data + row * a.row, *y = b.data + row * b.row;
  if (a.col == 1 && b.col == 1) {
    Chains<T> sum;
    sweep<T>(width, [&](int64_t i, auto lanes, auto chain) {
      sum[chain] += load(x + i, lanes) * load(y + i, lanes);
    });
    return sum.sum();
  }
  T sum = T(0);
  for (int64_t j = 0; j < width; ++j) sum += x[j * a.col] * y[j * b.col];
  return sum;
}

// Scores as probabilities, from the logarithm of their sum.
template <typename T>
void probabilities(const AttentionHead<T>& head, const Block& block, const T* lse, T* bias_room,
                   T* scores) {
  for (int64_t i = 0; i < block.rows; ++i) {
    T* x = scores + i * kPitch;
    const int64_t seen = block.seen(head, i);
    const T* bias = bias_of(head, block.row + i, block.key, seen, bias_room);
    finish_scores(x, seen, head.scale, bias);
    exponentials(x, seen, block.keys, shift_of(lse[block.row + i]));
  }
}

// d = p (d - delta) scale: the gradient of Q K^T from that of the probabilities.
template <typename T>
void through_softmax(const Block& block, const T* p, const T* delta, T scale, T* d) {
  for (int64_t i = 0; i < block.rows; ++i, p += kPitch, d += kPitch) {
    sweep<T>(block.keys, [&](int64_t j, auto lanes, auto) {
      store(d + j, lanes, load(p + j, lanes) * (load(d + j, lanes) - delta[i]) * scale);
    });
  }
}

template <typename T>
void backward(const AttentionHead<T>& head, Stretch queries, Stretch keys, const Matrix<T>& grad,
              const Matrix<T>& out, const T* lse, const RowsOut<T>& dquery, const RowsOut<T>& dkey,
              const RowsOut<T>& dvalue) {
  const int64_t E = head.width, V = head.value_width, count = queries.end - queries.begin;
  const bool through = dquery.data != nullptr || dkey.data != nullptr;
  const int64_t key_room = Packed<T>::room(E, kKeyBlock),
                value_room = Packed<T>::room(V, kKeyBlock);
  const int64_t key_rows = Packed<T>::room(kKeyBlock, E);
  const int64_t lines = Packed<T>::room(kQueryBlock, E > V ? E : V);
  Arena<T> arena(key_room + value_room + key_rows + lines + 2 * kQueryBlock * kPitch + kKeyBlock +
                 count);
  Packed<T> keys_flipped(arena.take(key_room)), values_flipped(arena.take(value_room));
  Packed<T> keys_packed(arena.take(key_rows)), rows_packed(arena.take(lines));
  T* const p = arena.take(kQueryBlock * kPitch);
  T* const d = arena.take(kQueryBlock * kPitch);
  T* const bias_room = arena.take(kKeyBlock);
  T* const delta = arena.take(count);
  if (dquery.data != nullptr) clear(dquery, queries, E);
  if (dkey.data != nullptr) clear(dkey, keys, E);
  if (dvalue.data != nullptr) clear(dvalue, keys, V);
  for (int64_t i = 0; i < count; ++i) delta[i] = dot_of_row(grad, out, queries.begin + i, V);
  const auto pair = [&](const Block& block) {
    const Matrix<T> query = from_row(head.query, block.row), g = from_row(grad, block.row);
    multiply({block.rows, block.keys, E}, query, keys_flipped, {p, kPitch}, false);
    probabilities(head, block, lse, bias_room, p);
    if (dvalue.data != nullptr) {
      rows_packed.pack(block.rows, V, g);
      multiply({block.keys, V, block.rows}, {p, 1, kPitch}, rows_packed,
               from_row(dvalue, block.key), true);
    }
    if (!through) return;
    multiply({block.rows, block.keys, V}, g, values_flipped, {d, kPitch}, false);
    through_softmax(block, p, delta + (block.row - queries.begin), head.scale, d);
    if (dkey.data != nullptr) {
      rows_packed.pack(block.rows, E, query);
      multiply({block.keys, E, block.rows}, {d, 1, kPitch}, rows_packed, from_row(dkey, block.key),
               true);
    }
    if (dquery.data != nullptr) {
      multiply({block.rows, E, block.keys}, {d, kPitch, 1}, keys_packed,
               from_row(dquery, block.row), true);
    }
  };
  for_keys({keys.begin, head.causal ? smaller(keys.end, queries.end) : keys.end},
           [&](int64_t key, int64_t last) {
             keys_flipped.pack(E, last - key, flipped(from_row(head.key, key)));
             if (through) values_flipped.pack(V, last - key, flipped(from_row(head.value, key)));
             if (dquery.data != nullptr) keys_packed.pack(last - key, E, from_row(head.key, key));
             for (int64_t row = queries.begin; row < queries.end; row += kQueryBlock) {
               const Block block(head, row, queries.end, key, last);
               if (block.keys > 0) pair(block);
             }
           });
}

}  // namespace

MINIDL_FILL_TABLES(AttentionKernels, attention_kernels, .forward = &forward<T>,
                   .backward = &backward<T>)

}  // namespace minidl::cpu::MINIDL_ISA
