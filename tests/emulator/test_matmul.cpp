// Matrix products against plain loops in double: layouts, odd sizes, every kernel and tile, sums in
// parts, epilogues; and which kernel is chosen.
#include "arrays.h"
#include "cuda/matmul.h"

using namespace minidl;
using namespace minidl::testing;

namespace {

// A variable that is set as long as this lives.
struct Environment {
  const char* name;
  Environment(const char* name, const char* value) : name(name) { setenv(name, value, 1); }
  ~Environment() { unsetenv(name); }
};

struct Shape {
  std::int64_t batch, m, n, k;
};

template <class T>
constexpr double tolerance = sizeof(T) == 8   ? 1e-12
                             : sizeof(T) == 4 ? 1e-4
                                              : 1e-2;

template <class T>
void set_grid(HostArray<T>& x, std::mt19937& random) {
  std::uniform_int_distribution<int> grid(-16, 16);
  for (T& value : x.values) value = T(static_cast<float>(grid(random)) / 16);
}

// `turned`: a bit each for a, b and out, whose columns are dense instead of their rows.
template <class T>
void check_matmul(const Shape& s, int turned, std::mt19937& random, bool tf32 = false,
                  const char* plan = "") {
  using A = accumulator_t<T>;
  const auto stack = [&](std::int64_t b, std::int64_t rows, std::int64_t columns, int bit) {
    return turned & bit ? HostArray<T>({b, rows, columns}, {0, 2, 1})
                        : HostArray<T>({b, rows, columns});
  };
  auto a = stack(s.batch, s.m, s.k, 1), b = stack(1, s.k, s.n, 2),
       out = stack(s.batch, s.m, s.n, 4);
  set_grid(a, random);
  set_grid(b, random);
  expect_mentions(cuda::matmul_config(a.array(), b.array(), out.array(), tf32).spell(), {plan});
  HostArray<A> workspace({cuda::matmul_workspace(a.array(), b.array(), out.array(), tf32)});
  const cuda::Array parts = workspace.array();
  cuda::matmul(a.array(), b.array(), out.array(), {.tf32 = tf32, .workspace = &parts}, nullptr);
  for (std::int64_t z = 0; z < s.batch; ++z) {
    for (std::int64_t i = 0; i < s.m; ++i) {
      for (std::int64_t j = 0; j < s.n; ++j) {
        double wanted = 0;
        for (std::int64_t x = 0; x < s.k; ++x)
          wanted += static_cast<double>(a.at(z, i, x)) * b.at(0, x, j);
        expect_close(out.at(z, i, j), wanted, tolerance<T>,
                     concat(plan, ": matmul ", s.m, " x ", s.n, " x ", s.k, ", turned ", turned,
                            ", at ", i, ", ", j));
      }
    }
  }
}

}  // namespace

TEST(matmul_of_every_orientation) {
  std::mt19937 random(3);
  const Shape odd{2, 19, 35, 37}, aligned{1, 24, 40, 48};
  for (int turned = 0; turned < 8; ++turned) {
    check_matmul<float>(odd, turned, random, false, "simt");
    check_matmul<float>(aligned, turned, random, false, "simt");
    check_matmul<double>(odd, turned, random, false, "simt");
    check_matmul<Half>(odd, turned, random, false, "mma");
    check_matmul<BFloat16>(aligned, turned, random, false, "mma");
    check_matmul<float>(odd, turned, random, true, "mma");
    check_matmul<float>(aligned, turned, random, true, "mma");
  }
}

TEST(matmul_in_every_order_of_threads) {
  std::mt19937 random(9);
  with_schedules([&] {
    check_matmul<float>({1, 24, 40, 80}, 0, random, false, "simt");
    check_matmul<Half>({1, 24, 40, 280}, 1, random, false, "mma");
    check_matmul<BFloat16>({1, 24, 33, 150}, 2, random, false, "mma");
  });
}

TEST(matmul_of_every_tile) {
  std::mt19937 random(4);
  check_matmul<float>({1, 320, 70, 3}, 0, random, false, "32 x 32 tiles, 10 x 3");  // two groups
  const Environment one_multiprocessor("MINIDL_EMULATOR_MULTIPROCESSORS", "1");
  check_matmul<BFloat16>({2, 72, 136, 72}, 2, random, false, "wgmma");
  check_matmul<Half>({1, 80, 72, 136}, 5, random, false, "wgmma");
  const Environment no_wgmma("MINIDL_EMULATOR_CAPABILITY", "8.0");
  check_matmul<float>({1, 130, 66, 20}, 2, random, false, "128 x 128");
  check_matmul<float>({2, 40, 50, 20}, 1, random, false, "64 x 64");
  check_matmul<float>({1, 2, 2, 1}, 0, random, false, "32 x 32");
  for (int turned = 0; turned < 4; ++turned) {
    check_matmul<Half>({1, 130, 66, 70}, turned, random, false, "mma, 128 x 128");
    check_matmul<BFloat16>({1, 72, 136, 32}, turned, random, false, "mma, 128 x 128");
    check_matmul<float>({1, 72, 136, 40}, turned, random, true, "mma, 128 x 128");
  }
  HostArray<float> a({4, 0}), b({0, 5}), out({4, 5});
  cuda::matmul(a.array(), b.array(), out.array(), {}, nullptr);
  for (const float value : out.values) EXPECT(value == 0);
}

TEST(matmul_of_vectors) {
  std::mt19937 random(5);
  for (int turned = 0; turned < 4; ++turned) {
    with_schedules([&] {
      check_matmul<float>({2, 1, 43, 67}, turned, random, false, "vector");
      check_matmul<Half>({1, 39, 1, 80}, turned, random, false, "vector");
    });
    check_matmul<double>({3, 1, 8, 16}, turned, random, false, "vector");
    check_matmul<BFloat16>({1, 1, 3, 4000}, turned, random, false, "parts");
  }
}

TEST(matmul_of_sums_in_parts) {
  std::mt19937 random(6);
  with_schedules([&] {
    check_matmul<Half>({1, 5, 9, 700}, 1, random, false, "parts of");
    check_matmul<float>({2, 20, 40, 300}, 2, random, false, "parts of");
  });
  check_matmul<float>({1, 20, 40, 1000}, 4, random, true, "parts of");
}

TEST(matmul_on_older_gpus) {
  std::mt19937 random(7);
  for (const char* capability : {"7.5", "8.0"}) {
    const Environment environment("MINIDL_EMULATOR_CAPABILITY", capability);
    check_matmul<Half>({1, 20, 24, 33}, 0, random, false, "mma");
    check_matmul<BFloat16>({1, 20, 24, 33}, 2, random, false, *capability == '7' ? "simt" : "mma");
    check_matmul<float>({1, 20, 24, 33}, 1, random, true, *capability == '7' ? "simt" : "mma");
  }
}

TEST(matmul_finishes_its_sums) {
  std::mt19937 random(8);
  for (const Shape& s : {Shape{1, 21, 18, 30}, Shape{1, 1, 18, 30}, Shape{1, 6, 7, 600}}) {
    HostArray<float> a({s.m, s.k}), b({s.k, s.n}), out({s.m, s.n}), bias({s.n}), addend({s.m, s.n});
    for (auto* x : {&a, &b, &bias, &addend}) x->randomize(random);
    out.values = addend.values;  // added to in place
    const cuda::Array row = bias.array(), before = out.array();
    HostArray<float> workspace({cuda::matmul_workspace(a.array(), b.array(), out.array(), false)});
    const cuda::Array parts = workspace.array();
    cuda::matmul(a.array(), b.array(), out.array(),
                 {.epilogue = {&row, &before, 2, -1, cuda::Activation::relu}, .workspace = &parts},
                 nullptr);
    for (std::int64_t i = 0; i < s.m; ++i) {
      for (std::int64_t j = 0; j < s.n; ++j) {
        double sum = 0;
        for (std::int64_t x = 0; x < s.k; ++x) sum += static_cast<double>(a.at(i, x)) * b.at(x, j);
        expect_close(out.at(i, j), std::max(0.0, 2 * sum - addend.at(i, j) + bias.at(j)), 1e-4,
                     concat("finished at ", i, ", ", j));
      }
    }
  }
}

TEST(matmul_refuses_what_does_not_fit) {
  HostArray<float> a({4, 3}), b({4, 5}), c({3, 5}), out({4, 5}), vector({3});
  const auto message = [&](const cuda::Array& x, const cuda::Array& y,
                           const cuda::MatmulOptions& options = {}) {
    return message_of([&] { cuda::matmul(x, y, out.array(), options, nullptr); });
  };
  expect_mentions(message(a.array(), b.array()), {"[4, 3]", "[4, 5]"});
  expect_mentions(message(a.array(), vector.array()), {"[3]"});
  const cuda::Array bias = vector.array();
  expect_mentions(message(a.array(), c.array(), {.epilogue = {.bias = &bias}}), {"bias", "[3]"});
}

// The choice at every threshold and beside it.
TEST(matmul_follows_the_problem) {
  const std::pair<cuda::MatmulProblem, const char*> rows[] = {
      {{.batch = 67, .m = 65, .n = 65, .k = 256, .dtype = DType::float16, .tensor_maps = true},
       "wgmma"},
      {{.batch = 79, .m = 128, .n = 128, .k = 64, .multiprocessors = 100},
       "simt, 64 x 64 tiles, 2 x 2 a matrix"},
      {{.batch = 80, .m = 128, .n = 128, .k = 64, .multiprocessors = 100},
       "simt, 128 x 128 tiles, 1 x 1 a matrix"},
      {{.batch = 80, .m = 129, .n = 257, .k = 64, .multiprocessors = 100},
       "simt, 128 x 128 tiles, 2 x 3 a matrix"},
      {{.batch = 80, .m = 65, .n = 65, .k = 64, .multiprocessors = 100},
       "simt, 128 x 128 tiles, 1 x 1 a matrix"},
      {{.batch = 80, .m = 64, .n = 128, .k = 64, .multiprocessors = 100},
       "simt, 64 x 64 tiles, 1 x 2 a matrix"},
      {{.batch = 80, .m = 128, .n = 64, .k = 64, .multiprocessors = 100},
       "simt, 64 x 64 tiles, 2 x 1 a matrix"},
      {{.batch = 20, .m = 65, .n = 65, .k = 64, .multiprocessors = 100},
       "simt, 64 x 64 tiles, 2 x 2 a matrix"},
      {{.batch = 19, .m = 65, .n = 65, .k = 64, .multiprocessors = 100},
       "simt, 32 x 32 tiles, 3 x 3 a matrix"},
      {{.batch = 80, .m = 33, .n = 33, .k = 64, .multiprocessors = 100},
       "simt, 64 x 64 tiles, 1 x 1 a matrix"},
      {{.batch = 80, .m = 32, .n = 64, .k = 64, .multiprocessors = 100},
       "simt, 32 x 32 tiles, 1 x 2 a matrix"},
      {{.batch = 80, .m = 128, .n = 128, .k = 64, .dtype = DType::float64, .multiprocessors = 100},
       "simt, 64 x 64 tiles, 2 x 2 a matrix"},
      {{.batch = 80,
        .m = 32,
        .n = 32,
        .k = 64,
        .dtype = DType::float16,
        .capability = 80,
        .multiprocessors = 100},
       "mma, 64 x 64 tiles, 1 x 1 a matrix"},
      {{.batch = 80,
        .m = 128,
        .n = 128,
        .k = 64,
        .dtype = DType::float16,
        .capability = 80,
        .multiprocessors = 100},
       "mma, 128 x 128 tiles, 1 x 1 a matrix"},
      {{.batch = 80,
        .m = 128,
        .n = 128,
        .k = 64,
        .dtype = DType::float16,
        .capability = 79,
        .multiprocessors = 100},
       "mma, 64 x 64 tiles, 2 x 2 a matrix"},
      {{.batch = 66, .m = 32, .n = 32, .k = 256},
       "simt, 32 x 32 tiles, 1 x 1 a matrix, sums in 2 parts of 128"},
      {{.batch = 67, .m = 32, .n = 32, .k = 256}, "simt, 32 x 32 tiles, 1 x 1 a matrix"},
      {{.batch = 66, .m = 32, .n = 32, .k = 255}, "simt, 32 x 32 tiles, 1 x 1 a matrix"},
      {{.m = 32, .n = 32, .k = 256}, "simt, 32 x 32 tiles, 1 x 1 a matrix, sums in 2 parts of 128"},
      {{.m = 32, .n = 32, .k = 257}, "simt, 32 x 32 tiles, 1 x 1 a matrix, sums in 2 parts of 192"},
      {{.m = 32, .n = 32, .k = 640}, "simt, 32 x 32 tiles, 1 x 1 a matrix, sums in 5 parts of 128"},
      {{.m = 33, .n = 65, .k = 4096},
       "simt, 32 x 32 tiles, 2 x 3 a matrix, sums in 22 parts of 192"},
      {{.m = 32, .n = 32, .k = 4096},
       "simt, 32 x 32 tiles, 1 x 1 a matrix, sums in 32 parts of 128"},
      {{.m = 32, .n = 32, .k = 8192},
       "simt, 32 x 32 tiles, 1 x 1 a matrix, sums in 32 parts of 256"},
      {{.m = 32, .n = 32, .k = 100000},
       "simt, 32 x 32 tiles, 1 x 1 a matrix, sums in 32 parts of 3136"},
      {{.m = 1, .n = 8, .k = 2047}, "vector"},
      {{.m = 8, .n = 1, .k = 2048}, "vector, sums in 2 parts of 1024"},
      {{.m = 1, .n = 8, .k = 2049}, "vector, sums in 2 parts of 1088"},
      {{.m = 1, .n = 8, .k = 3072}, "vector, sums in 3 parts of 1024"},
      {{.m = 1, .n = 8, .k = 65536}, "vector, sums in 64 parts of 1024"},
      {{.m = 1, .n = 8, .k = 131072}, "vector, sums in 64 parts of 2048"},
      {{.m = 1, .n = 8, .k = 1 << 20, .multiprocessors = 100}, "vector, sums in 64 parts of 16384"},
      {{.m = 1, .n = 528, .k = 131072}, "vector, sums in 2 parts of 65536"},
      {{.m = 1, .n = 529, .k = 131072}, "vector"},
      {{.batch = 44, .m = 1, .n = 8, .k = 131072}, "vector, sums in 3 parts of 43712"},
      {{.batch = 22, .m = 1, .n = 9, .k = 131072}, "vector, sums in 3 parts of 43712"},
      {{.m = 2, .n = 2, .k = 64}, "simt, 32 x 32 tiles, 1 x 1 a matrix"},
      {{.m = 2, .n = 1, .k = 64}, "vector"},
      {{.m = 1, .n = 2, .k = 64}, "vector"},
      {{.m = 0, .n = 1, .k = 2048}, "vector, sums in 2 parts of 1024"},
  };
  for (const auto& [problem, wanted] : rows)
    expect_same(cuda::select_matmul(problem).spell(), wanted);
}

TEST(matmul_takes_tensor_cores_where_they_pay) {
  cuda::MatmulProblem p{.m = 65, .n = 65, .k = 255, .tensor_maps = true};
  const auto with = [&](auto member, auto value) {
    cuda::MatmulProblem other = p;
    other.*member = value;
    return cuda::takes_wgmma(other);
  };
  using P = cuda::MatmulProblem;
  EXPECT(cuda::takes_wgmma(p) && !with(&P::tensor_maps, false) && !with(&P::plain, false));
  EXPECT(!with(&P::capability, 89) && !with(&P::capability, 100));
  EXPECT(!with(&P::m, 64) && !with(&P::n, 64) && !with(&P::k, 256));
  p.k = 256;
  EXPECT(!with(&P::batch, 66) && with(&P::batch, 67));
  p.batch = 33;
  EXPECT(!with(&P::m, 256) && with(&P::m, 257) && !with(&P::n, 256) && with(&P::n, 257));

  const auto takes = [](DType dtype, int capability, bool tf32 = false) {
    return cuda::takes_mma({.dtype = dtype, .tf32 = tf32, .capability = capability});
  };
  EXPECT(takes(DType::float16, 75) && !takes(DType::float16, 74));
  EXPECT(takes(DType::bfloat16, 80) && !takes(DType::bfloat16, 79));
  EXPECT(takes(DType::float32, 80, true) && !takes(DType::float32, 79, true));
  EXPECT(!takes(DType::float32, 90) && !takes(DType::float64, 90, true));
}

TEST(matmul_sums_every_part_once) {
  for (const std::int64_t k : {0, 1, 255, 256, 257, 5000, 100000}) {
    for (const std::int64_t m : {1, 2, 64, 1000}) {
      const auto config =
          cuda::select_matmul({.m = m, .n = 20, .k = k, .dtype = DType::float16, .capability = 80});
      EXPECT(config.splits >= 1 && config.k_per_split * config.splits >= k);
      EXPECT(config.splits == 1 || config.k_per_split * (config.splits - 1) < k);
    }
  }
}
