#include "cuda/optim.h"

#include "cuda/optim_kernels.h"

namespace minidl::cuda {
namespace {

void check(const OptimTable& table) {
  MINIDL_CHECK(table.count >= 0 && table.chunks >= 0, "a step of ", table.count, " tensors in ",
               table.chunks, " chunks");
  MINIDL_CHECK(table.count == 0 || (table.tensors && table.options),
               "a step needs its table and its options");
}

}  // namespace

void sgd_step(DType dtype, const OptimTable& table, bool nesterov, bool maximize, Stream stream) {
  check(table);
  dispatch_floating(dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    optim_chunked(SgdStep<T>{nesterov, maximize}, table, stream);
  });
}

void adam_step(DType dtype, const OptimTable& table, double* clocks, bool decoupled, bool maximize,
               Stream stream) {
  check(table);
  MINIDL_CHECK(clocks || table.count == 0, "a step of Adam needs its clocks");
  dispatch_floating(dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    adam_clock(clocks, table.options, table.count, stream);
    optim_chunked(AdamStep<T>{clocks, decoupled, maximize}, table, stream);
  });
}

}  // namespace minidl::cuda
