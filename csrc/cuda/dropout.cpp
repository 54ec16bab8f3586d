#include "cuda/dropout.h"

#include "cuda/dropout_kernels.h"
#include "cuda/pack.h"
#include "cuda/walk_plan.h"

namespace minidl::cuda {
namespace {

// Whether an array's elements, taken in C order, are neighbours in memory.
bool is_dense(const Walk<2>& walk, int n) {
  return walk.dims == 0 || (walk.dims == 1 && walk.stride[0][n] == 1);
}

void check_dense(const char* name, const Array& array) {
  const Walk<1> walk = merge_axes(broadcast_axes<1>(array.shape, {&array}));
  MINIDL_CHECK(walk.count == 0 || walk.dims == 0 || (walk.dims == 1 && walk.stride[0][0] == 1),
               name, " must be dense in C order, got strides ", spell(array.strides), " for shape ",
               spell(array.shape));
}

template <bool drawn>
void run(const Array& input, const Array& mask, double p, double scale, const RandomStream& random,
         const Array& out, Stream stream) {
  check_dtype("mask", mask, DType::boolean);
  check_dtype("out", out, input.dtype);
  check_shape("out", out, input.shape);
  check_dense("out", out);
  if (out.count() == 0) return;
  with_floating_type("input", input, [&](auto zero) {
    using T = decltype(zero);
    DropoutArrays<T> arrays = {};
    arrays.input = input.as<const T>();
    arrays.output = out.as<T>();
    arrays.mask = mask.as<std::uint8_t>();
    arrays.walk = merge_axes(broadcast_axes<2>(input.shape, {&input, &mask}));
    arrays.scale = static_cast<T>(static_cast<accumulator_t<T>>(scale));
    arrays.p = static_cast<float>(p);
    arrays.random = random;
    arrays.packs = is_dense(arrays.walk, 0) && is_dense(arrays.walk, 1) &&
                   is_aligned(arrays.input) && is_aligned(arrays.output) &&
                   is_aligned(arrays.mask, 8);
    dropout_masked<T, drawn>(arrays, stream);
  });
}

}  // namespace

void dropout(const Array& input, double p, double scale, const RandomStream& random,
             const Array& out, const Array& mask, Stream stream) {
  check_shape("mask", mask, input.shape);
  check_dense("mask", mask);
  run<true>(input, mask, p, scale, random, out, stream);
}

void masked_scale(const Array& input, const Array& mask, double scale, const Array& out,
                  Stream stream) {
  run<false>(input, mask, 0, scale, {}, out, stream);
}

}  // namespace minidl::cuda
