#include "cuda/recurrent.h"

#include "cuda/matmul.h"
#include "cuda/recurrent_kernels.h"

namespace minidl::cuda {
namespace {

// ---- Arrays of a step -------------------------------------------------------------------------

// [T, ...] -> the [...] of step t
Array step_of(const Array& sequence, std::int64_t t) {
  return {.data = sequence.as<char>() + t * sequence.strides[0] * item_bytes(sequence.dtype),
          .dtype = sequence.dtype,
          .shape = {sequence.shape.begin() + 1, sequence.shape.end()},
          .strides = {sequence.strides.begin() + 1, sequence.strides.end()}};
}

Array transposed(const Array& matrix) {
  return {.data = matrix.data,
          .dtype = matrix.dtype,
          .shape = {matrix.shape[1], matrix.shape[0]},
          .strides = {matrix.strides[1], matrix.strides[0]}};
}

template <class T>
Matrix<T> matrix(const Array& array) {
  return {array.as<T>(), array.strides[0], array.strides[1]};
}

template <class T>
Matrix<T> matrix(const Array* array) {
  return array ? matrix<T>(*array) : Matrix<T>{nullptr, 0, 0};
}

template <class T>
Matrix<T> matrix_of_step(const Array* sequence, std::int64_t t) {
  return sequence ? matrix<T>(step_of(*sequence, t)) : Matrix<T>{nullptr, 0, 0};
}

// ---- Checks -----------------------------------------------------------------------------------

struct Named {
  const char* name;
  const Array* array;  // null is not looked at
  std::int64_t gates = 1;
};

// The sizes that all arrays share, as `states` [T, N, H] has them.
class Sizes {
 public:
  explicit Sizes(const char* name, const Array& states) : dtype_(states.dtype) {
    check_rank(name, states, 3);
    steps = states.shape[0], batch = states.shape[1], features = states.shape[2];
  }

  void check_sequences(std::initializer_list<Named> arrays) const {
    for (const Named& a : arrays) check(a, {steps, batch, a.gates * features});
  }
  void check_states(std::initializer_list<Named> arrays) const {
    for (const Named& a : arrays) check(a, {batch, a.gates * features});
  }
  void check_weights(const Array& w_hh, const Array* b_hh, std::int64_t gates) const {
    check({"w_hh", &w_hh}, {gates * features, features});
    check({"b_hh", b_hh}, {gates * features});
  }

  StepSize step() const { return {batch, features}; }

  std::int64_t steps, batch, features;

 private:
  void check(const Named& a, const std::vector<std::int64_t>& shape) const {
    if (!a.array) return;
    check_dtype(a.name, *a.array, dtype_);
    check_shape(a.name, *a.array, shape);
  }

  DType dtype_;
};

// ---- Steps ------------------------------------------------------------------------------------

// The steps in the order in which they run, or with `back` in the opposite one.
class Steps {
 public:
  Steps(std::int64_t count, bool reverse) : count_(count), reverse_(reverse) {}

  template <class Function>
  void forward(Function&& fn) const {
    for (std::int64_t i = 0; i < count_; ++i) fn(reverse_ ? count_ - 1 - i : i);
  }
  template <class Function>
  void backward(Function&& fn) const {
    for (std::int64_t i = count_ - 1; i >= 0; --i) fn(reverse_ ? count_ - 1 - i : i);
  }
  // The state that step t started from: that of the step before it, or the first.
  Array before(const Array& first, const Array& states, std::int64_t t) const {
    if (t == (reverse_ ? count_ - 1 : 0)) return first;
    return step_of(states, reverse_ ? t + 1 : t - 1);
  }

 private:
  std::int64_t count_;
  bool reverse_;
};

MatmulOptions product(const RecurrentOptions& options, const MatmulEpilogue& epilogue) {
  return {.epilogue = epilogue, .tf32 = options.tf32, .workspace = options.workspace};
}

}  // namespace

// ---- Elman RNN --------------------------------------------------------------------------------

void rnn_sequence(const RnnSequence& s, Stream stream) {
  const Sizes sizes("output", s.output);
  sizes.check_weights(s.w_hh, s.b_hh, 1);
  sizes.check_states({{"h0", &s.h0}});
  const Array weight = transposed(s.w_hh);
  const Activation activation = s.relu ? Activation::relu : Activation::tanh;
  const Steps steps(sizes.steps, s.options.reverse);
  steps.forward([&](std::int64_t t) {
    const Array h = step_of(s.output, t);
    matmul(steps.before(s.h0, s.output, t), weight, h,
           product(s.options, {.bias = s.b_hh, .addend = &h, .activation = activation}), stream);
  });
}

void rnn_sequence_grad(const RnnSequenceGrad& s, Stream stream) {
  const Sizes sizes("output", s.output);
  sizes.check_weights(s.w_hh, nullptr, 1);
  sizes.check_sequences({{"doutput", s.doutput}, {"dz", &s.dz}});
  sizes.check_states({{"dh_n", s.dh_n}, {"dh0", &s.dh0}});
  with_floating_type("output", s.output, [&](auto zero) {
    using T = decltype(zero);
    const Array* dh = s.dh_n;
    Steps(sizes.steps, s.options.reverse).backward([&](std::int64_t t) {
      const Array dz = step_of(s.dz, t);
      rnn_step_grad<T>({.size = sizes.step(),
                        .relu = s.relu,
                        .dh = matrix<const T>(dh),
                        .doutput = matrix_of_step<const T>(s.doutput, t),
                        .output = matrix_of_step<const T>(&s.output, t),
                        .dz = matrix<T>(dz)},
                       stream);
      matmul(dz, s.w_hh, s.dh0, product(s.options, {}), stream);
      dh = &s.dh0;
    });
  });
}

// ---- LSTM -------------------------------------------------------------------------------------

void lstm_sequence(const LstmSequence& s, Stream stream) {
  const Sizes sizes("output", s.output);
  sizes.check_weights(s.w_hh, s.b_hh, 4);
  sizes.check_states({{"h0", &s.h0}, {"c0", &s.c0}});
  sizes.check_sequences({{"gates", &s.gates, 4}, {"cells", &s.cells}});
  const Array weight = transposed(s.w_hh);
  const Steps steps(sizes.steps, s.options.reverse);
  with_floating_type("output", s.output, [&](auto zero) {
    using T = decltype(zero);
    steps.forward([&](std::int64_t t) {
      const Array gates = step_of(s.gates, t);
      matmul(steps.before(s.h0, s.output, t), weight, gates,
             product(s.options, {.bias = s.b_hh, .addend = &gates}), stream);
      lstm_step<T>({.size = sizes.step(),
                    .gates = matrix<T>(gates),
                    .c_before = matrix<const T>(steps.before(s.c0, s.cells, t)),
                    .c = matrix_of_step<T>(&s.cells, t),
                    .h = matrix_of_step<T>(&s.output, t)},
                   stream);
    });
  });
}

void lstm_sequence_grad(const LstmSequenceGrad& s, Stream stream) {
  const Sizes sizes("cells", s.cells);
  sizes.check_weights(s.w_hh, nullptr, 4);
  sizes.check_sequences({{"doutput", s.doutput}, {"gates", &s.gates, 4}, {"dz", &s.dz, 4}});
  sizes.check_states(
      {{"dh_n", s.dh_n}, {"dc_n", s.dc_n}, {"c0", &s.c0}, {"dh0", &s.dh0}, {"dc0", &s.dc0}});
  const Steps steps(sizes.steps, s.options.reverse);
  with_floating_type("cells", s.cells, [&](auto zero) {
    using T = decltype(zero);
    const Array *dh = s.dh_n, *dc = s.dc_n;
    steps.backward([&](std::int64_t t) {
      const Array dz = step_of(s.dz, t);
      lstm_step_grad<T>({.size = sizes.step(),
                         .dh = matrix<const T>(dh),
                         .doutput = matrix_of_step<const T>(s.doutput, t),
                         .dc = matrix<const T>(dc),
                         .gates = matrix_of_step<const T>(&s.gates, t),
                         .c = matrix_of_step<const T>(&s.cells, t),
                         .c_before = matrix<const T>(steps.before(s.c0, s.cells, t)),
                         .dz = matrix<T>(dz),
                         .dc_before = matrix<T>(s.dc0)},
                        stream);
      matmul(dz, s.w_hh, s.dh0, product(s.options, {}), stream);
      dh = &s.dh0, dc = &s.dc0;
    });
  });
}

// ---- GRU --------------------------------------------------------------------------------------

void gru_sequence(const GruSequence& s, Stream stream) {
  const Sizes sizes("output", s.output);
  sizes.check_weights(s.w_hh, s.b_hh, 3);
  sizes.check_states({{"h0", &s.h0}, {"from_hidden", &s.from_hidden, 3}});
  sizes.check_sequences({{"gates", &s.gates, 3}, {"hidden_n", &s.hidden_n}});
  const Array weight = transposed(s.w_hh);
  const Steps steps(sizes.steps, s.options.reverse);
  with_floating_type("output", s.output, [&](auto zero) {
    using T = decltype(zero);
    steps.forward([&](std::int64_t t) {
      const Array before = steps.before(s.h0, s.output, t);
      matmul(before, weight, s.from_hidden, product(s.options, {.bias = s.b_hh}), stream);
      gru_step<T>({.size = sizes.step(),
                   .gates = matrix_of_step<T>(&s.gates, t),
                   .from_hidden = matrix<const T>(s.from_hidden),
                   .h_before = matrix<const T>(before),
                   .hidden_n = matrix_of_step<T>(&s.hidden_n, t),
                   .h = matrix_of_step<T>(&s.output, t)},
                  stream);
    });
  });
}

void gru_sequence_grad(const GruSequenceGrad& s, Stream stream) {
  const Sizes sizes("output", s.output);
  sizes.check_weights(s.w_hh, nullptr, 3);
  sizes.check_sequences({{"doutput", s.doutput},
                         {"gates", &s.gates, 3},
                         {"hidden_n", &s.hidden_n},
                         {"dz_input", &s.dz_input, 3},
                         {"dz_hidden", &s.dz_hidden, 3}});
  sizes.check_states({{"dh_n", s.dh_n}, {"h0", &s.h0}, {"dh0", &s.dh0}});
  const Steps steps(sizes.steps, s.options.reverse);
  with_floating_type("output", s.output, [&](auto zero) {
    using T = decltype(zero);
    const Array* dh = s.dh_n;
    steps.backward([&](std::int64_t t) {
      const Array dz_hidden = step_of(s.dz_hidden, t);
      gru_step_grad<T>({.size = sizes.step(),
                        .dh = matrix<const T>(dh),
                        .doutput = matrix_of_step<const T>(s.doutput, t),
                        .gates = matrix_of_step<const T>(&s.gates, t),
                        .hidden_n = matrix_of_step<const T>(&s.hidden_n, t),
                        .h_before = matrix<const T>(steps.before(s.h0, s.output, t)),
                        .dz_input = matrix_of_step<T>(&s.dz_input, t),
                        .dz_hidden = matrix<T>(dz_hidden),
                        .dh_before = matrix<T>(s.dh0)},
                       stream);
      matmul(dz_hidden, s.w_hh, s.dh0, product(s.options, {.addend = &s.dh0}), stream);
      dh = &s.dh0;
    });
  });
}

}  // namespace minidl::cuda
