#include "cpu/recurrent_steps.h"

#include "cpu/simd/recurrent_gru.h"
#include "cpu/simd/recurrent_lstm.h"
#include "cpu/simd/recurrent_lstm_grad.h"
#include "cpu/simd/recurrent_rnn.h"

namespace minidl::cpu::MINIDL_ISA {

MINIDL_FILL_TABLES(RecurrentSteps, recurrent_steps, .rnn = &rnn<T>, .lstm = &lstm<T>,
                   .gru = &gru<T>, .rnn_grad = &rnn_grad<T>, .lstm_grad = &lstm_grad<T>,
                   .gru_grad = &gru_grad<T>, .lstm_hidden = &lstm_hidden<T>)

}  // namespace minidl::cpu::MINIDL_ISA
