#include "cuda/lstm_step.h"

#include "cuda/lstm_step_kernels.h"

namespace minidl::cuda {
namespace {

template <class T>
Matrix<T> matrix(const Array& array) {
  return {array.as<T>(), array.strides[0], array.strides[1]};
}

template <class T>
Matrix<T> matrix(const Array* array) {
  if (!array) return {nullptr, 0, 0};
  return array->rank() == 1 ? Matrix<T>{array->as<T>(), 0, array->strides[0]} : matrix<T>(*array);
}

struct Named {
  const char* name;
  const Array* array;
};

void check_all(const Array& c_before, std::initializer_list<Named> arrays, std::int64_t gates) {
  for (const auto& [name, array] : arrays) {
    if (!array) continue;
    check_dtype(name, *array, c_before.dtype);
    check_shape(name, *array, {c_before.shape[0], gates * c_before.shape[1]});
  }
}

void check_bias(const char* name, const Array* bias, const Array& c_before) {
  if (!bias) return;
  check_dtype(name, *bias, c_before.dtype);
  check_shape(name, *bias, {4 * c_before.shape[1]});
}

}  // namespace

void lstm_step(const LstmStep& s, Stream stream) {
  check_rank("c_before", s.c_before, 2);
  check_all(s.c_before, {{"c", &s.c}, {"h", &s.h}}, 1);
  check_all(s.c_before,
            {{"from_input", &s.from_input}, {"from_hidden", &s.from_hidden}, {"gates", &s.gates}},
            4);
  check_bias("b_ih", s.b_ih, s.c_before);
  check_bias("b_hh", s.b_hh, s.c_before);
  with_float_type("c_before", s.c_before, [&](auto zero) {
    using T = decltype(zero);
    lstm_forward<T>({.batch = s.c_before.shape[0],
                     .features = s.c_before.shape[1],
                     .from_input = matrix<const T>(s.from_input),
                     .from_hidden = matrix<const T>(s.from_hidden),
                     .b_ih = matrix<const T>(s.b_ih),
                     .b_hh = matrix<const T>(s.b_hh),
                     .c_before = matrix<const T>(s.c_before),
                     .gates = matrix<T>(s.gates),
                     .c = matrix<T>(s.c),
                     .h = matrix<T>(s.h)},
                    stream);
  });
}

void lstm_step_grad(const LstmStepGrad& s, Stream stream) {
  check_rank("c_before", s.c_before, 2);
  check_all(s.c_before,
            {{"dh", s.dh},
             {"doutput", s.doutput},
             {"dc", s.dc},
             {"c", &s.c},
             {"dc_before", &s.dc_before}},
            1);
  check_all(s.c_before, {{"gates", &s.gates}, {"dz", &s.dz}}, 4);
  with_float_type("c_before", s.c_before, [&](auto zero) {
    using T = decltype(zero);
    lstm_backward<T>({.batch = s.c_before.shape[0],
                      .features = s.c_before.shape[1],
                      .dh = matrix<const T>(s.dh),
                      .doutput = matrix<const T>(s.doutput),
                      .dc = matrix<const T>(s.dc),
                      .gates = matrix<const T>(s.gates),
                      .c = matrix<const T>(s.c),
                      .c_before = matrix<const T>(s.c_before),
                      .dz = matrix<T>(s.dz),
                      .dc_before = matrix<T>(s.dc_before)},
                     stream);
  });
}

}  // namespace minidl::cuda
