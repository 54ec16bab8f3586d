// Elementwise operations over arrays of any strides: broadcast, transposed, sliced, reversed.
// Threads follow the output's memory order, so writes are coalesced whatever the inputs are.
#include "cuda/elementwise_kernels.h"
#include "cuda/launch.h"

namespace minidl::cuda {

// ---- Configuration ----------------------------------------------------------------------------
// elementwise_select.h

// ---- Kernel -----------------------------------------------------------------------------------

template <class T, class Op, int Inputs>
__global__ void elementwise_strided_kernel(Walk<Inputs + 1> walk,
                                           ElementwiseArrays<T, Inputs> arrays) {
  const std::int64_t first = blockIdx.x * static_cast<std::int64_t>(blockDim.x) + threadIdx.x;
  const std::int64_t step = gridDim.x * static_cast<std::int64_t>(blockDim.x);
  for (std::int64_t i = first; i < walk.count; i += step) {
    const Offsets<Inputs + 1> at = walk.at(i);
    T values[Inputs];
    for (int n = 0; n < Inputs; ++n) values[n] = arrays.load(n, at.in[n]);
    arrays.output[at.in[Inputs]] = Op::apply(values);
  }
}

// ---- Launcher ---------------------------------------------------------------------------------

template <class T, class Op, int Inputs>
void elementwise_strided(const Walk<Inputs + 1>& walk, const ElementwiseArrays<T, Inputs>& arrays,
                         const ElementwiseConfig& config, Stream stream) {
  launch("elementwise_strided", elementwise_strided_kernel<T, Op, Inputs>,
         {.grid = {config.blocks}, .block = {config.threads}}, stream, walk, arrays);
}

#define MINIDL_INSTANCE(T, Op, Inputs)                                                  \
  template void elementwise_strided<T, Op, Inputs>(const Walk<Inputs + 1>&,             \
                                                   const ElementwiseArrays<T, Inputs>&, \
                                                   const ElementwiseConfig&, Stream);
#define MINIDL_INSTANCES(name, expression)        \
  MINIDL_INSTANCE(float, Unary<UnaryOp::name>, 1) \
  MINIDL_INSTANCE(double, Unary<UnaryOp::name>, 1)
MINIDL_UNARY(MINIDL_INSTANCES)
#undef MINIDL_INSTANCES
#define MINIDL_INSTANCES(name, expression)          \
  MINIDL_INSTANCE(float, Binary<BinaryOp::name>, 2) \
  MINIDL_INSTANCE(double, Binary<BinaryOp::name>, 2)
MINIDL_BINARY(MINIDL_INSTANCES)
#undef MINIDL_INSTANCES
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
