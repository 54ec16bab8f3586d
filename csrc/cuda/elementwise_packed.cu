// Elementwise operations on 16-bit and 32-bit floats whose neighbours are neighbours in memory:
// dense arrays, and ones broadcast along any axis (a bias along rows or columns) beside them. A
// thread takes eight elements at once, so that what finding their places costs is divided by eight.
#include "cuda/elementwise_kernels.h"
#include "cuda/elementwise_values.h"
#include "cuda/launch.h"

namespace minidl::cuda {

// ---- Configuration ----------------------------------------------------------------------------
// elementwise_select.h

// ---- Kernel -----------------------------------------------------------------------------------

template <int Inputs>
__device__ __forceinline__ void load_operand(const ElementwiseArguments<float, Inputs>& a, int n,
                                             std::int64_t offset,
                                             float (&values)[elementwise_pack]) {
  const ElementwiseInput& from = a.input[n];
  if (from.repeated) {
    const float value = from.data ? load_value<float>(from.data, from.dtype, offset) : a.value[n];
    MINIDL_UNROLL
    for (float& v : values) v = value;
  } else {
    with_element<float>(from.dtype, [&](auto element) {
      unpack(static_cast<const decltype(element)*>(from.data) + offset, values);
    });
  }
}

// Truths are bytes; floats take the output's dtype.
__device__ __forceinline__ void store_results(void* output, DType, std::int64_t offset,
                                              const bool (&results)[elementwise_pack]) {
  pack(static_cast<std::uint8_t*>(output) + offset, results);
}
__device__ __forceinline__ void store_results(void* output, DType dtype, std::int64_t offset,
                                              const float (&results)[elementwise_pack]) {
  with_element<float>(dtype, [&](auto element) {
    pack(static_cast<decltype(element)*>(output) + offset, results);
  });
}

// All of a pack is read before any of it is written: the output may be one of the inputs.
template <ElementwiseOp op, int Inputs>
__global__ void __launch_bounds__(256)
    elementwise_packed_kernel(Walk<Inputs + 1> walk, std::int64_t rest,
                              ElementwiseArguments<float, Inputs> arguments) {
  using Op = Elementwise<op>;
  const std::int64_t first = blockIdx.x * static_cast<std::int64_t>(blockDim.x) + threadIdx.x;
  const std::int64_t step = gridDim.x * static_cast<std::int64_t>(blockDim.x);
  for (std::int64_t i = first; i < walk.count; i += step) {
    const Offsets<Inputs + 1> at = walk.at(i);
    float values[Inputs][elementwise_pack];
    MINIDL_UNROLL
    for (int n = 0; n < Inputs; ++n) load_operand(arguments, n, at.in[n], values[n]);
    decltype(Op::apply(values[0], arguments.number)) results[elementwise_pack];
    MINIDL_UNROLL
    for (int k = 0; k < elementwise_pack; ++k) {
      float element[Inputs];
      MINIDL_UNROLL
      for (int n = 0; n < Inputs; ++n) element[n] = values[n][k];
      results[k] = Op::apply(element, arguments.number);
    }
    store_results(arguments.output, arguments.output_type, at.in[Inputs], results);
  }
  if (first < rest) {
    const std::int64_t i = walk.count * elementwise_pack + first;
    float element[Inputs];
    MINIDL_UNROLL
    for (int n = 0; n < Inputs; ++n) {
      const ElementwiseInput& from = arguments.input[n];
      element[n] = from.data ? load_value<float>(from.data, from.dtype, from.repeated ? 0 : i)
                             : arguments.value[n];
    }
    store_value(arguments.output, arguments.output_type, i,
                static_cast<float>(Op::apply(element, arguments.number)));
  }
}

// ---- Launcher ---------------------------------------------------------------------------------

template <ElementwiseOp op, int Inputs>
bool launch_packed(const Walk<Inputs + 1>& walk, std::int64_t rest,
                   const ElementwiseArguments<float, Inputs>& arguments,
                   const ElementwiseConfig& config, Stream stream) {
  constexpr bool exists =
      Elementwise<op>::inputs == Inputs && Elementwise<op>::path == ElementwisePath::hot;
  if constexpr (exists) {
    launch("elementwise_packed", elementwise_packed_kernel<op, Inputs>,
           {.grid = {config.blocks}, .block = {config.threads}}, stream, walk, rest, arguments);
  }
  return exists;
}

template <int Inputs>
bool elementwise_packed(ElementwiseOp op, const Walk<Inputs + 1>& walk, std::int64_t rest,
                        const ElementwiseArguments<float, Inputs>& arguments,
                        const ElementwiseConfig& config, Stream stream) {
  switch (op) {
#define MINIDL_CASE(name, ...) \
  case ElementwiseOp::name:    \
    return launch_packed<ElementwiseOp::name, Inputs>(walk, rest, arguments, config, stream);
    MINIDL_ELEMENTWISE(MINIDL_CASE)
#undef MINIDL_CASE
  }
  return false;
}

#define MINIDL_INSTANCE(Inputs)                                                                  \
  template bool elementwise_packed<Inputs>(ElementwiseOp, const Walk<Inputs + 1>&, std::int64_t, \
                                           const ElementwiseArguments<float, Inputs>&,           \
                                           const ElementwiseConfig&, Stream);
MINIDL_INSTANCE(1)
MINIDL_INSTANCE(2)
MINIDL_INSTANCE(3)
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
