// Elementwise operations on arrays of any dtype and strides: broadcast, transposed, sliced,
// reversed. An element a thread, the operation chosen by a switch that all threads take alike.
// Threads follow the output's memory order, so writes are coalesced whatever the inputs are.
// Local memory: sin, cos and tan of large arguments keep the digits of 2 / pi there.
#include "cuda/elementwise_kernels.h"
#include "cuda/elementwise_values.h"
#include "cuda/launch.h"

namespace minidl::cuda {

// ---- Configuration ----------------------------------------------------------------------------
// elementwise_select.h

// ---- Kernel -----------------------------------------------------------------------------------

template <ElementwiseOp op, class C, int Inputs>
__device__ __forceinline__ C apply_case(const C (&values)[Inputs], const C* number) {
  using Op = Elementwise<op>;
  if constexpr (Op::inputs == Inputs && computes<C>(Op::kind)) {
    return static_cast<C>(Op::apply(values, number));
  } else {
    return C(0);
  }
}

template <class C, int Inputs>
__device__ __forceinline__ C apply(ElementwiseOp op, const C (&values)[Inputs], const C* number) {
  switch (op) {
#define MINIDL_CASE(name, ...) \
  case ElementwiseOp::name:    \
    return apply_case<ElementwiseOp::name>(values, number);
    MINIDL_ELEMENTWISE(MINIDL_CASE)
#undef MINIDL_CASE
  }
  return C(0);
}

template <class C, int Inputs>
__global__ void __launch_bounds__(256)
    elementwise_strided_kernel(ElementwiseOp op, Walk<Inputs + 1> walk,
                               ElementwiseArguments<C, Inputs> arguments) {
  const std::int64_t first = blockIdx.x * static_cast<std::int64_t>(blockDim.x) + threadIdx.x;
  const std::int64_t step = gridDim.x * static_cast<std::int64_t>(blockDim.x);
  for (std::int64_t i = first; i < walk.count; i += step) {
    const Offsets<Inputs + 1> at = walk.at(i);
    C values[Inputs];
    MINIDL_UNROLL
    for (int n = 0; n < Inputs; ++n) {
      const ElementwiseInput& from = arguments.input[n];
      values[n] = from.data ? load_value<C>(from.data, from.dtype, at.in[n]) : arguments.value[n];
    }
    store_value(arguments.output, arguments.output_type, at.in[Inputs],
                apply(op, values, arguments.number));
  }
}

// ---- Launcher ---------------------------------------------------------------------------------

template <class C, int Inputs>
void elementwise_strided(ElementwiseOp op, const Walk<Inputs + 1>& walk,
                         const ElementwiseArguments<C, Inputs>& arguments,
                         const ElementwiseConfig& config, Stream stream) {
  launch("elementwise_strided", elementwise_strided_kernel<C, Inputs>,
         {.grid = {config.blocks}, .block = {config.threads}}, stream, op, walk, arguments);
}

#define MINIDL_INSTANCE(C, Inputs)                                                     \
  template void elementwise_strided<C, Inputs>(ElementwiseOp, const Walk<Inputs + 1>&, \
                                               const ElementwiseArguments<C, Inputs>&, \
                                               const ElementwiseConfig&, Stream);
#define MINIDL_INSTANCES(C) MINIDL_INSTANCE(C, 1) MINIDL_INSTANCE(C, 2) MINIDL_INSTANCE(C, 3)
MINIDL_INSTANCES(float)
MINIDL_INSTANCES(double)
MINIDL_INSTANCES(std::int64_t)
MINIDL_INSTANCES(std::uint64_t)
#undef MINIDL_INSTANCES
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
