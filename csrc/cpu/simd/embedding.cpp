#include "cpu/embedding.h"

#include "cpu/scratch.h"
#include "cpu/simd/moments.h"
#include "cpu/thread_pool.h"

namespace minidl::cpu::MINIDL_ISA {
namespace {

constexpr int64_t kGrain = 1 << 14;  // elements a piece

template <typename T>
void embedding(const Embedding& p, const int64_t* indices, const T* table, T* output) {
  parallel_for(p.count, larger(1, kGrain / larger(1, p.width)), [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      const T* from = table + indices[k] * p.width;
      T* to = output + k * p.width;
      sweep<T>(p.width,
               [&](int64_t i, auto lanes, auto) { store(to + i, lanes, load(from + i, lanes)); });
    }
  });
}

// Where each row was used: positions in `indices`, those of row r at uses[ends[r - 1] .. ends[r]],
// in their order. A counting sort.
struct Uses {
  int64_t *ends, *positions;

  int64_t begin(int64_t row) const { return row == 0 ? 0 : ends[row - 1]; }
};

Uses uses_of(const Embedding& p, const int64_t* indices) {
  const auto bytes = (p.rows + p.count) * static_cast<int64_t>(sizeof(int64_t));
  auto* ends = static_cast<int64_t*>(thread_scratch(Slot::embedding, bytes));
  const Uses uses{ends, ends + p.rows};
  for (int64_t row = 0; row < p.rows; ++row) ends[row] = 0;
  for (int64_t k = 0; k < p.count; ++k) ++ends[indices[k]];
  int64_t before = 0;
  for (int64_t row = 0; row < p.rows; ++row) {
    const int64_t count = ends[row];
    ends[row] = before;  // the next free place, and at last the end
    before += count;
  }
  for (int64_t k = 0; k < p.count; ++k) uses.positions[ends[indices[k]]++] = k;
  return uses;
}

template <typename T>
void embedding_backward(const Embedding& p, const int64_t* indices, const T* grad, T* grad_table) {
  const Uses uses = uses_of(p, indices);
  const int64_t elements =
      (p.count / p.rows + 1) * p.width;  // read and written for a row, on average
  const int64_t grain = larger(1, kGrain / larger(1, elements));
  parallel_for(p.rows, grain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t first = uses.begin(row), last = row == p.padding ? first : uses.ends[row];
      const T scale = p.divide_by_uses && last > first ? T(1) / static_cast<T>(last - first) : T(1);
      T* to = grad_table + row * p.width;
      sweep<T>(p.width, [&](int64_t i, auto lanes, auto) {
        Vec<T> sum{};
        for (int64_t use = first; use < last; ++use) {
          sum += load(grad + uses.positions[use] * p.width + i, lanes);
        }
        store(to + i, lanes, sum * scale);
      });
    }
  });
}

template <typename T>
void bag_rows(const Bags& p, const int64_t* indices, const T* weights, const T* table, T* output) {
  const int64_t grain = larger(1, kGrain / larger(1, p.size * p.width));
  parallel_for(p.count, grain, [&](int64_t begin, int64_t end) {
    for (int64_t bag = begin; bag < end; ++bag) {
      const int64_t* index = indices + bag * p.size;
      const T* weight = weights + bag * p.size;
      sweep<T>(p.width, [&](int64_t i, auto lanes, auto) {
        Vec<T> sum{};
        for (int64_t k = 0; k < p.size; ++k) {
          sum += load(table + index[k] * p.width + i, lanes) * weight[k];
        }
        store(output + bag * p.width + i, lanes, sum);
      });
    }
  });
}

template <typename T>
void bag_table(const Bags& p, const T* grad, const int64_t* indices, const T* weights,
               T* grad_table) {
  const Uses uses = uses_of({p.rows, p.width, p.count * p.size, -1, false}, indices);
  const int64_t elements = (p.count * p.size / p.rows + 1) * p.width;
  parallel_for(p.rows, larger(1, kGrain / larger(1, elements)), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      sweep<T>(p.width, [&](int64_t i, auto lanes, auto) {
        Vec<T> sum{};
        for (int64_t use = uses.begin(row); use < uses.ends[row]; ++use) {
          const int64_t at = uses.positions[use];
          sum += load(grad + at / p.size * p.width + i, lanes) * weights[at];
        }
        store(grad_table + row * p.width + i, lanes, sum);
      });
    }
  });
}

template <typename T>
void bag_weights(const Bags& p, const T* grad, const int64_t* indices, const T* table,
                 T* grad_weights) {
  const int64_t grain = larger(1, kGrain / larger(1, p.size * p.width));
  parallel_for(p.count, grain, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin * p.size; at < end * p.size; ++at) {
      const T *g = grad + at / p.size * p.width, *row = table + indices[at] * p.width;
      Chains<T> part;
      sweep<T>(p.width, [&](int64_t i, auto lanes, auto slot) {
        part[slot] += load(g + i, lanes) * load(row + i, lanes);
      });
      grad_weights[at] = static_cast<T>(part.sum());
    }
  });
}

}  // namespace

MINIDL_FILL_TABLES(EmbeddingKernels, embedding_kernels, .embedding = &embedding<T>,
                   .embedding_backward = &embedding_backward<T>, .bag_rows = &bag_rows<T>,
                   .bag_table = &bag_table<T>, .bag_weights = &bag_weights<T>)

}  // namespace minidl::cpu::MINIDL_ISA
