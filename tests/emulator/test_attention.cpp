// Attention and its gradients against plain loops in double.
#include "arrays.h"
#include "cuda/attention.h"
#include "cuda/attention_select.h"

using namespace minidl;
using namespace minidl::testing;

namespace {

struct Sizes {
  int batch, queries, keys, features, values;
};

constexpr Sizes ragged{2, 67, 66, 5, 3};

// What attention should give, for one leading index.
struct Expected {
  std::vector<std::vector<double>> p, ds;

  template <class T>
  Expected(const Sizes& s, HostArray<T>& q, HostArray<T>& k, HostArray<T>& v, HostArray<T>& g,
           int b, bool causal, double scale)
      : p(s.queries, std::vector<double>(s.keys)), ds(p) {
    for (int i = 0; i < s.queries; ++i) {
      double total = 0, delta = 0;
      for (int j = 0; j < s.keys; ++j) {
        double score = 0;
        for (int e = 0; e < s.features; ++e) score += double(q.at(b, i, e)) * k.at(b, j, e);
        p[i][j] = causal && j > i ? 0 : std::exp(score * scale);
        total += p[i][j];
      }
      for (int j = 0; j < s.keys; ++j) {
        p[i][j] /= total;
        for (int c = 0; c < s.values; ++c) ds[i][j] += double(g.at(b, i, c)) * v.at(b, j, c);
        delta += p[i][j] * ds[i][j];
      }
      for (int j = 0; j < s.keys; ++j) ds[i][j] = p[i][j] * (ds[i][j] - delta) * scale;
    }
  }
};

template <class T>
struct Arrays {
  Sizes s;
  HostArray<T> q, k, v, g, out, dq, dk, dv;
  HostArray<float> lse, delta;

  explicit Arrays(const Sizes& s)
      : s(s),
        q({s.batch, s.queries, s.features}, {1, 0, 2}),
        k({s.batch, s.keys, s.features}),
        v({s.batch, s.keys, s.values}, {0, 2, 1}),
        g({s.batch, s.queries, s.values}),
        out(g.shape),
        dq(q.shape),
        dk(k.shape),
        dv(v.shape),
        lse({s.batch, s.queries}),
        delta(lse.shape) {
    std::mt19937 random(3);
    for (auto* x : {&q, &k, &v, &g}) x->randomize(random);
  }

  // Both passes; what is not in `wanted`, a letter a gradient, is not asked for.
  void run(bool causal, double scale, const std::string& wanted = "qkv") {
    for (auto* x : {&out, &dq, &dk, &dv}) std::fill(x->values.begin(), x->values.end(), T(NAN));
    for (auto* x : {&lse, &delta}) std::fill(x->values.begin(), x->values.end(), NAN);
    const cuda::Array arrays[] = {q.array(),   k.array(),     v.array(),  g.array(),  out.array(),
                                  lse.array(), delta.array(), dq.array(), dk.array(), dv.array()};
    const cuda::Attention problem{arrays[0], arrays[1], arrays[2], nullptr, causal, scale};
    const auto asked = [&](char name, const cuda::Array& array) {
      return wanted.find(name) == std::string::npos ? nullptr : &array;
    };
    cuda::attention(problem, arrays[4], arrays[5], nullptr);
    cuda::attention_backward(problem,
                             {arrays[3], arrays[4], arrays[5], arrays[6], asked('q', arrays[7]),
                              asked('k', arrays[8]), asked('v', arrays[9])},
                             nullptr);
  }

  void agree(bool causal, double scale, double tolerance) {
    for (int b = 0; b < s.batch; ++b) {
      const Expected e(s, q, k, v, g, b, causal, scale);
      const auto row = [&](auto& found, int i, const std::vector<double>& weights, auto& from,
                           const char* name) {  // weights times from, feature by feature
        for (int c = 0; c < from.shape[2]; ++c) {
          double sum = 0;
          for (int j = 0; j < from.shape[1]; ++j) sum += weights[j] * from.at(b, j, c);
          expect_close(found.at(b, i, c), sum, tolerance, name);
        }
      };
      for (int i = 0; i < s.queries; ++i) {
        row(out, i, e.p[i], v, "out");
        row(dq, i, e.ds[i], k, "dquery");
      }
      std::vector<double> p(s.queries), ds(s.queries);
      for (int j = 0; j < s.keys; ++j) {
        for (int i = 0; i < s.queries; ++i) {
          p[i] = e.p[i][j];
          ds[i] = e.ds[i][j];
        }
        row(dk, j, ds, q, "dkey");
        row(dv, j, p, g, "dvalue");
      }
    }
  }
};

template <class T>
void check(bool causal, double tolerance, const Sizes& sizes = ragged) {
  Arrays<T> a(sizes);
  const auto body = [&] {
    a.run(causal, 0.4);
    a.agree(causal, 0.4, tolerance);
  };
  sizes.queries == ragged.queries ? with_schedules(body) : with_seed({}, body);
}

}  // namespace

TEST(attention_and_its_gradients) { check<float>(false, 1e-5); }
TEST(attention_looks_back_only) { check<float>(true, 1e-5); }
TEST(attention_on_tensor_cores) {
  check<Half>(false, 4e-3);
  check<Half>(true, 4e-3);
}

TEST(attention_of_wide_features) {
  for (const Sizes& sizes : {Sizes{1, 5, 9, 33, 40}, Sizes{2, 9, 5, 8, 100}}) {
    for (const bool causal : {false, true}) {
      check<float>(causal, 1e-5, sizes);
      check<Half>(causal, 1e-2, sizes);
    }
  }
}

// A score whose exponential overflows, at keys that different threads and tiles hold.
TEST(attention_of_scores_far_apart) {
  const auto check = [&]<class T>(T one, double tolerance) {
    for (const int peak : {3, 20, 35}) {
      Arrays<T> a({1, 3, 40, 4, 3});
      std::fill(a.q.values.begin(), a.q.values.end(), one);
      std::fill(a.k.values.begin(), a.k.values.end(), T(0.0f));
      for (int e = 0; e < 4; ++e) a.k.at(0, peak, e) = T(25.0f);
      a.run(false, 2);
      a.agree(false, 2, tolerance);
    }
  };
  check(1.0f, 1e-4);
  check(Half(1.0f), 0.1);  // gradients are differences of rounded outputs, times 50
}

TEST(attention_gives_the_gradients_that_are_wanted) {
  const Sizes sizes{1, 5, 9, 4, 3};
  const auto check = [&]<class T>(T) {
    Arrays<T> all(sizes), some(sizes);
    all.run(false, 0.4);
    const auto same = [](const HostArray<T>& found, const HostArray<T>& wanted, bool asked) {
      for (std::size_t i = 0; i < found.values.size(); ++i)
        EXPECT(asked ? found.values[i] == wanted.values[i] : found.values[i] != found.values[i]);
    };
    for (const std::string wanted : {"q", "k", "v", "qk", "qv", "kv"}) {
      some.run(false, 0.4, wanted);
      same(some.dq, all.dq, wanted.find('q') != std::string::npos);
      same(some.dk, all.dk, wanted.find('k') != std::string::npos);
      same(some.dv, all.dv, wanted.find('v') != std::string::npos);
    }
  };
  check(0.0f);
  check(Half(0.0f));
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

TEST(attention_kernels_follow_the_problem) {
  const std::pair<cuda::AttentionProblem, const char*> rows[] = {
      {{DType::float16, 80, 32, 32}, "mma, 32 features a tile"},
      {{DType::bfloat16, 80, 33, 8}, "mma, 64 features a tile"},
      {{DType::float16, 79, 8, 64}, "tiled, 64 features a tile"},
      {{DType::bfloat16, 79, 65, 1}, "tiled, 128 features a tile"},
      {{DType::float32, 90, 128, 65}, "tiled, 128 features a tile"},
  };
  for (const auto& [problem, wanted] : rows)
    expect_same(cuda::select_attention(problem).spell(), wanted);
  const auto takes = [](DType dtype, std::int64_t features, std::int64_t value_features) {
    return cuda::takes_attention({dtype, 90, features, value_features});
  };
  EXPECT(!takes(DType::float32, 0, 0) && takes(DType::float32, 1, 0) &&
         takes(DType::float32, 0, 1));
  EXPECT(takes(DType::float16, 128, 1) && !takes(DType::float16, 129, 1));
  EXPECT(takes(DType::float32, 1, 128) && !takes(DType::float32, 1, 129));
  EXPECT(takes(DType::float64, 64, 64) && !takes(DType::float64, 64, 65));
}
