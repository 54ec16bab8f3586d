// Random arrays and dropout. `offset_word` is an address in device memory, 0 for none.
#include "cuda/random.h"

#include "bindings/cuda_array.h"
#include "bindings/registry.h"
#include "cuda/dropout.h"

namespace minidl::bindings::random {
namespace {

cuda::RandomStream to_random(std::uint64_t seed, std::uint64_t offset, std::uintptr_t word) {
  return {seed, offset, reinterpret_cast<const std::uint64_t*>(word)};
}

template <void (*Fill)(const cuda::Array&, const cuda::RandomStream&, cuda::Stream)>
void define_fill(py::module_& m, const char* name) {
  m.def(
      name,
      [](const cuda::Array& out, std::uint64_t seed, std::uint64_t offset, std::uintptr_t word,
         std::uintptr_t stream) { Fill(out, to_random(seed, offset, word), to_stream(stream)); },
      "Fills out from the stream (seed, offset)", py::arg("out"), py::arg("seed"),
      py::arg("offset"), py::arg("offset_word"), py::arg("stream"));
}

void fill_integers(const cuda::Array& out, std::int64_t low, std::uint64_t span, std::uint64_t seed,
                   std::uint64_t offset, std::uintptr_t word, std::uintptr_t stream) {
  cuda::fill_integers(out, low, span, to_random(seed, offset, word), to_stream(stream));
}

void dropout(const cuda::Array& input, double p, double scale, std::uint64_t seed,
             std::uint64_t offset, std::uintptr_t word, const cuda::Array& out,
             const cuda::Array& mask, std::uintptr_t stream) {
  cuda::dropout(input, p, scale, to_random(seed, offset, word), out, mask, to_stream(stream));
}

void masked_scale(const cuda::Array& input, const cuda::Array& mask, double scale,
                  const cuda::Array& out, std::uintptr_t stream) {
  cuda::masked_scale(input, mask, scale, out, to_stream(stream));
}

}  // namespace

MINIDL_REGISTER(random) {
  define_fill<cuda::fill_bits>(m, "random_bits");
  define_fill<cuda::fill_uniform>(m, "random_uniform");
  define_fill<cuda::fill_normal>(m, "random_normal");
  define_fill<cuda::fill_exponential>(m, "random_exponential");
  m.def("random_integers", &fill_integers,
        "out = integers in [low, low + span); a span of 0 is 2^64", py::arg("out"), py::arg("low"),
        py::arg("span"), py::arg("seed"), py::arg("offset"), py::arg("offset_word"),
        py::arg("stream"));
  m.def("dropout", &dropout, "mask = uniform >= p; out = input * mask * scale", py::arg("input"),
        py::arg("p"), py::arg("scale"), py::arg("seed"), py::arg("offset"), py::arg("offset_word"),
        py::arg("out"), py::arg("mask"), py::arg("stream"));
  m.def("masked_scale", &masked_scale, "out = input * mask * scale", py::arg("input"),
        py::arg("mask"), py::arg("scale"), py::arg("out"), py::arg("stream"));
}

}  // namespace minidl::bindings::random
