// Attention and its gradients against plain loops in double.
#include "arrays.h"
#include "cuda/attention.h"

using namespace minidl;
using namespace minidl::testing;

namespace {

constexpr int batch = 2, queries = 67, keys = 66, features = 5, values = 3;

// What attention should give, for one leading index.
struct Expected {
  std::vector<std::vector<double>> p, ds;

  template <class T>
  Expected(HostArray<T>& q, HostArray<T>& k, HostArray<T>& v, HostArray<T>& g, int b, bool causal,
           double scale)
      : p(queries, std::vector<double>(keys)), ds(p) {
    for (int i = 0; i < queries; ++i) {
      double total = 0, delta = 0;
      for (int j = 0; j < keys; ++j) {
        double s = 0;
        for (int e = 0; e < features; ++e) s += double(q.at(b, i, e)) * k.at(b, j, e);
        p[i][j] = causal && j > i ? 0 : std::exp(s * scale);
        total += p[i][j];
      }
      for (int j = 0; j < keys; ++j) {
        p[i][j] /= total;
        for (int c = 0; c < values; ++c) ds[i][j] += double(g.at(b, i, c)) * v.at(b, j, c);
        delta += p[i][j] * ds[i][j];
      }
      for (int j = 0; j < keys; ++j) ds[i][j] = p[i][j] * (ds[i][j] - delta) * scale;
    }
  }
};

template <class T>
void check(bool causal, double tolerance) {
  std::mt19937 random(3);
  HostArray<T> q({batch, queries, features}, {1, 0, 2}), k({batch, keys, features}),
      v({batch, keys, values}, {0, 2, 1}), g({batch, queries, values}),
      out({batch, queries, values}), dq({batch, queries, features}), dk({batch, keys, features}),
      dv({batch, keys, values});
  HostArray<float> lse({batch, queries}), delta({batch, queries});
  for (auto* x : {&q, &k, &v, &g}) x->randomize(random);
  with_schedules([&] {
    for (auto* x : {&out, &dq, &dk, &dv}) std::fill(x->values.begin(), x->values.end(), T(NAN));
    for (auto* x : {&lse, &delta}) std::fill(x->values.begin(), x->values.end(), NAN);
    const cuda::Array arrays[] = {q.array(),   k.array(),     v.array(),  g.array(),  out.array(),
                                  lse.array(), delta.array(), dq.array(), dk.array(), dv.array()};
    const cuda::Attention problem{arrays[0], arrays[1], arrays[2], nullptr, causal, 0.4};
    cuda::attention(problem, arrays[4], arrays[5], nullptr);
    cuda::attention_backward(
        problem, {arrays[3], arrays[4], arrays[5], arrays[6], &arrays[7], &arrays[8], &arrays[9]},
        nullptr);
    for (int b = 0; b < batch; ++b) {
      const Expected e(q, k, v, g, b, causal, 0.4);
      for (int i = 0; i < queries; ++i) {
        for (int c = 0; c < values; ++c) {
          double sum = 0;
          for (int j = 0; j < keys; ++j) sum += e.p[i][j] * v.at(b, j, c);
          expect_close(out.at(b, i, c), sum, tolerance, "out");
        }
        for (int f = 0; f < features; ++f) {
          double sum = 0;
          for (int j = 0; j < keys; ++j) sum += e.ds[i][j] * k.at(b, j, f);
          expect_close(dq.at(b, i, f), sum, tolerance, "dquery");
        }
      }
      for (int j = 0; j < keys; ++j) {
        double key_sum = 0, value_sum = 0;
        for (int i = 0; i < queries; ++i) {
          key_sum += e.ds[i][j] * q.at(b, i, 1);
          value_sum += e.p[i][j] * g.at(b, i, 2);
        }
        expect_close(dk.at(b, j, 1), key_sum, tolerance, "dkey");
        expect_close(dv.at(b, j, 2), value_sum, tolerance, "dvalue");
      }
    }
  });
}

}  // namespace

TEST(attention_and_its_gradients) { check<float>(false, 1e-5); }
TEST(attention_looks_back_only) { check<float>(true, 1e-5); }
TEST(attention_on_tensor_cores) {
  check<Half>(false, 4e-3);
  check<Half>(true, 4e-3);
}

TEST(attention_refuses_what_does_not_fit) {
  HostArray<float> q({2, 3, 4}), k({2, 5, 6}), out({2, 3, 4}), lse({2, 3});
  const cuda::Array arrays[] = {q.array(), k.array(), out.array(), lse.array()};
  expect_mentions(message_of([&] {
                    cuda::attention({arrays[0], arrays[1], arrays[1], nullptr, false, 1}, arrays[2],
                                    arrays[3], nullptr);
                  }),
                  {"key", "[2, 5, 4]", "[2, 5, 6]"});
}
