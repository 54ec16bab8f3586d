#include "cuda/random.h"

#include "cuda/random_kernels.h"

namespace minidl::cuda {
namespace {

void check_dense(const Array& out) {
  std::int64_t step = 1;
  for (int d = out.rank() - 1; d >= 0; --d) {
    MINIDL_CHECK(out.shape[d] <= 1 || out.strides[d] == step || out.count() == 0,
                 "out must be dense in C order, got strides ", spell(out.strides), " for shape ",
                 spell(out.shape));
    step *= out.shape[d];
  }
}

template <class Draw>
void fill_floats(const Draw& draw, const Array& out, const RandomStream& stream, Stream on) {
  check_dense(out);
  with_floating_type("out", out, [&](auto zero) {
    random_fill(draw, out.as<decltype(zero)>(), out.count(), stream, on);
  });
}

}  // namespace

void fill_bits(const Array& out, const RandomStream& stream, Stream on) {
  check_dense(out);
  if (out.dtype == DType::uint32)
    return random_fill(BitsDraw{}, out.as<std::uint32_t>(), out.count(), stream, on);
  check_dtype("out", out, DType::uint64);
  random_fill(BitsDraw{}, out.as<std::uint64_t>(), out.count(), stream, on);
}

void fill_uniform(const Array& out, const RandomStream& stream, Stream on) {
  fill_floats(UniformDraw{}, out, stream, on);
}

void fill_normal(const Array& out, const RandomStream& stream, Stream on) {
  fill_floats(NormalDraw{}, out, stream, on);
}

void fill_exponential(const Array& out, const RandomStream& stream, Stream on) {
  fill_floats(ExponentialDraw{}, out, stream, on);
}

void fill_integers(const Array& out, std::int64_t low, std::uint64_t span,
                   const RandomStream& stream, Stream on) {
  check_dense(out);
  check_dtype("out", out, DType::int64);
  const auto base = static_cast<std::uint64_t>(low);
  auto* to = out.as<std::int64_t>();
  if (span != 0 && span <= std::uint64_t{1} << 32)
    return random_fill(IntegersDraw{base, span}, to, out.count(), stream, on);
  random_fill(WideIntegersDraw{base, span}, to, out.count(), stream, on);
}

}  // namespace minidl::cuda
