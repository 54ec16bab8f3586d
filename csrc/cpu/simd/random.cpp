#include "cpu/random.h"

#include "cpu/simd/math.h"
#include "cpu/simd/philox.h"
#include "cpu/simd/trigonometry.h"

namespace minidl::cpu::MINIDL_ISA {
namespace {

// Fills `out` by convert(words, out), which turns a group of blocks into kElements elements.
template <int64_t kElements, class T, class Convert>
MINIDL_INLINE void fill(T* out, int64_t count, Stream stream, const Convert& convert) {
  const Philox philox(stream.seed);
  uint64_t block = stream.offset;
  for (; count >= kElements; count -= kElements, out += kElements, block += kBlocks) {
    convert(philox(block), out);
  }
  if (count == 0) return;
  T tail[kElements];
  convert(philox(block), tail);
  std::memcpy(out, tail, static_cast<size_t>(count) * sizeof(T));
}

// Logical, not arithmetic.
template <int kBits>
MINIDL_INLINE Vec<int32_t> shift_right(Vec<int32_t> words) {
  typedef uint32_t Unsigned __attribute__((vector_size(kVectorBytes)));
  return reinterpret_cast<Vec<int32_t>>(reinterpret_cast<Unsigned>(words) >> kBits);
}

MINIDL_INLINE Vec<float> to_float(Vec<int32_t> integers) {
  return __builtin_convertvector(integers, Vec<float>);
}

// Integers below 2^53.
MINIDL_INLINE Vec<double> to_double(Lanes64 integers) {
#if defined(__AVX512DQ__)
  return __builtin_convertvector(integers, Vec<double>);
#else
  // Each half in the mantissa of a power of two that puts its last bit where it belongs.
  const auto high = reinterpret_cast<Vec<double>>((integers >> 32) | 0x4530000000000000);  // 2^84
  const auto low = reinterpret_cast<Vec<double>>((integers & kLowWord) | 0x4330000000000000);
  return (high - 0x1.00000001p84) + low;  // 2^84 + 2^52
#endif
}

// log of u = (word + 1/2) 2^-32. From 1/2 on the distances of u from 1, or of 2u from 1, are
// rounded integers: more exact than those of a rounded u.
MINIDL_INLINE Vec<float> log_of_open_unit(Vec<int32_t> word) {
  const Vec<float> below_one = (to_float(~word) + 0.5f) * -0x1p-32f;
  const Vec<float> above_half = to_float((word << 1) | 1) * 0x1p-32f;
  const Vec<float> u =
      (to_float(shift_right<16>(word)) * 65536.f + (to_float(word & 0xffff) + 0.5f)) * 0x1p-32f;
  auto [f, e] = split(u);
  const auto upper = word < 0;
  const auto near = upper & (word >= static_cast<int32_t>(0xB504F333));  // sqrt(1/2) and more
  f = near ? below_one : (upper ? above_half : f);
  e = near ? Vec<float>{} : (upper ? splat(-1.f) : e);
  return log_of_parts<Vec<float>>(f, e, Vec<float>{});
}

// (0, 1): the middles of 2^52 intervals.
MINIDL_INLINE Vec<double> open_unit(Lanes64 pairs) {
  return (to_double(pairs >> 12) + 0.5) * 0x1p-52;
}

void bits(uint32_t* out, int64_t count, Stream stream) {
  fill<4 * kBlocks>(out, count, stream, [](const Words& w, uint32_t* to) {
    const auto [first, second] = in_order(w);
    store(reinterpret_cast<int32_t*>(to), words_of(first));
    store(reinterpret_cast<int32_t*>(to + 2 * kBlocks), words_of(second));
  });
}

void uniform_float(float* out, int64_t count, Stream stream) {
  fill<4 * kBlocks>(out, count, stream, [](const Words& w, float* to) {
    const auto [first, second] = in_order(w);
    store<float>(to, to_float(shift_right<8>(words_of(first))) * 0x1p-24f);
    store<float>(to + 2 * kBlocks, to_float(shift_right<8>(words_of(second))) * 0x1p-24f);
  });
}

void uniform_double(double* out, int64_t count, Stream stream) {
  fill<2 * kBlocks>(out, count, stream, [](const Words& w, double* to) {
    const auto [first, second] = in_order(w);
    store<double>(to, to_double(first >> 11) * 0x1p-53);
    store<double>(to + kBlocks, to_double(second >> 11) * 0x1p-53);
  });
}

// Angles in units of 2^-32 turns, which wrap around as angles do.
using Turns = WordsOf<Vec<float>>::type;

// Box-Muller. The angle's quarter of a turn and what is left of it come from the bits: no
// reduction.
void normal_float(float* out, int64_t count, Stream stream) {
  fill<4 * kBlocks>(out, count, stream, [](const Words& w, float* to) {
    const Vec<int32_t> radii = words_of(paired(w.word[0], w.word[2]));
    const auto angles = reinterpret_cast<Turns>(paired(w.word[1], w.word[3]));
    const Vec<float> radius = square_root<Vec<float>>(log_of_open_unit(radii) * -2.f);
    const Turns quarters = (angles + 0x20000000u) >> 30;
    const auto rest = reinterpret_cast<Vec<int32_t>>(angles - (quarters << 30));
    const auto quarter = reinterpret_cast<Vec<int32_t>>(quarters);
    const Vec<float> twice = to_float(rest + rest + 1);  // in units of pi 2^-32, rounded once
    const Vec<float> r = twice * 7.3145906e-10f + twice * -2.03547e-17f;
    const auto [first, second] = interleave(radius * sine_in_quadrant<Vec<float>>(r, quarter + 1),
                                            radius * sine_in_quadrant<Vec<float>>(r, quarter));
    store<float>(to, first);
    store<float>(to + 2 * kBlocks, second);
  });
}

void normal_double(double* out, int64_t count, Stream stream) {
  fill<2 * kBlocks>(out, count, stream, [](const Words& w, double* to) {
    const Vec<double> first = open_unit(paired(w.word[0], w.word[1]));
    const Vec<double> radius = square_root<Vec<double>>(log(first) * -2.0);
    const Vec<double> angle = open_unit(paired(w.word[2], w.word[3])) * 6.283185307179586477;
    const auto [cosines, sines] = interleave<Vec<double>>(radius * cos(angle), radius * sin(angle));
    store<double>(to, cosines);
    store<double>(to + kBlocks, sines);
  });
}

void exponential_float(float* out, int64_t count, Stream stream) {
  fill<4 * kBlocks>(out, count, stream, [](const Words& w, float* to) {
    const auto [first, second] = in_order(w);
    store<float>(to, -log_of_open_unit(words_of(first)));
    store<float>(to + 2 * kBlocks, -log_of_open_unit(words_of(second)));
  });
}

void exponential_double(double* out, int64_t count, Stream stream) {
  fill<2 * kBlocks>(out, count, stream, [](const Words& w, double* to) {
    const auto [first, second] = in_order(w);
    store<double>(to, -log(open_unit(first)));
    store<double>(to + kBlocks, -log(open_unit(second)));
  });
}

}  // namespace

const RandomKernels random_kernels{
    .bits = &bits,
    .uniform_float = &uniform_float,
    .normal_float = &normal_float,
    .exponential_float = &exponential_float,
    .uniform_double = &uniform_double,
    .normal_double = &normal_double,
    .exponential_double = &exponential_double,
};

}  // namespace minidl::cpu::MINIDL_ISA
