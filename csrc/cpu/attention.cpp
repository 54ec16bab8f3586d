#include "cpu/attention.h"

#include "cpu/attention_select.h"
#include "cpu/thread_pool.h"

namespace minidl::cpu {
namespace {

// The matrices of one head.
template <typename T>
class Place {
 public:
  Place(const AttentionProblem<T>& p, int64_t head) : p_(p) {
    for (int axis = p.rank - 1; axis >= 0; --axis) {
      at_[axis] = head % p.lead[axis];
      head /= p.lead[axis];
    }
  }
  Matrix<T> matrix(const Heads<const T>& of) const { return {in(of), of.row, of.col}; }
  RowsOut<T> rows(const Heads<T>& of) const { return {in(of), of.row}; }
  AttentionHead<T> head() const {
    return {p_.queries, p_.keys,          p_.width,       p_.value_width,   p_.causal,
            p_.scale,   matrix(p_.query), matrix(p_.key), matrix(p_.value), matrix(p_.bias)};
  }

 private:
  template <typename U>
  U* in(const Heads<U>& of) const {
    if (of.data == nullptr) return nullptr;
    int64_t offset = 0;
    for (int axis = 0; axis < p_.rank; ++axis) offset += at_[axis] * of.lead[axis];
    return of.data + offset;
  }

  const AttentionProblem<T>& p_;
  int64_t at_[kMaxRank];
};

template <typename T>
int64_t heads_of(const AttentionProblem<T>& p) {
  int64_t heads = 1;
  for (int axis = 0; axis < p.rank; ++axis) heads *= p.lead[axis];
  return heads;
}

template <typename T>
int64_t work_of(const AttentionProblem<T>& p) {
  return p.queries * p.keys * (p.width + p.value_width);
}

// body(head, stretch) for stretches of `step` of `length` lines of every head, one a task.
template <typename Body>
void for_stretches(int64_t heads, int64_t length, int64_t step, const Body& body) {
  const int64_t pieces = (length + step - 1) / step;
  parallel_for(heads * pieces, 1, [&](int64_t task, int64_t) {
    const int64_t begin = task % pieces * step;
    body(task / pieces, Stretch{begin, std::min(length, begin + step)});
  });
}

}  // namespace

template <typename T>
void attention(const AttentionProblem<T>& p, const AttentionResult<T>& result) {
  const auto& kernels = attention_kernels<T>();
  const int64_t heads = heads_of(p);
  const AttentionPlan plan = select_attention(heads, p.queries, work_of(p), get_num_threads());
  const auto run = [&](int64_t head, Stretch queries) {
    const Place<T> place(p, head);
    kernels.forward(place.head(), queries, place.rows(result.out), result.lse + head * p.queries);
  };
  if (plan.grain == 0) return for_stretches(heads, p.queries, plan.rows, run);
  parallel_for(heads, plan.grain, [&](int64_t begin, int64_t end) {
    for (int64_t head = begin; head < end; ++head) run(head, {0, p.queries});
  });
}

template <typename T>
void attention_backward(const AttentionProblem<T>& p, const AttentionSaved<T>& saved,
                        const AttentionGrads<T>& grads) {
  const auto& kernels = attention_kernels<T>();
  const int64_t heads = heads_of(p);
  const AttentionPlan plan =
      select_attention_backward(heads, p.queries, work_of(p), get_num_threads());
  const Heads<T> none;
  const Stretch queries{0, p.queries}, keys{0, p.keys};
  const auto run = [&](int64_t head, Stretch some_queries, Stretch some_keys,
                       const Heads<T>& dquery, const Heads<T>& dkey, const Heads<T>& dvalue) {
    const Place<T> place(p, head);
    kernels.backward(place.head(), some_queries, some_keys, place.matrix(saved.grad),
                     place.matrix(saved.out), saved.lse + head * p.queries, place.rows(dquery),
                     place.rows(dkey), place.rows(dvalue));
  };
  if (plan.grain != 0) {
    return parallel_for(heads, plan.grain, [&](int64_t begin, int64_t end) {
      for (int64_t head = begin; head < end; ++head) {
        run(head, queries, keys, grads.query, grads.key, grads.value);
      }
    });
  }
  if (grads.key.data != nullptr || grads.value.data != nullptr) {
    for_stretches(heads, p.keys, kKeyBlock, [&](int64_t head, Stretch some) {
      run(head, queries, some, none, grads.key, grads.value);
    });
  }
  if (grads.query.data != nullptr) {
    for_stretches(heads, p.queries, plan.rows, [&](int64_t head, Stretch some) {
      run(head, some, keys, grads.query, none, none);
    });
  }
}

#define MINIDL_ATTENTION(T)                                                                 \
  template void attention<T>(const AttentionProblem<T>&, const AttentionResult<T>&);        \
  template void attention_backward<T>(const AttentionProblem<T>&, const AttentionSaved<T>&, \
                                      const AttentionGrads<T>&);
MINIDL_ATTENTION(float)
MINIDL_ATTENTION(double)

}  // namespace minidl::cpu
