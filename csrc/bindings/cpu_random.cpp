#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <array>

#include "bindings/registry.h"
#include "common/checks.h"
#include "common/philox.h"
#include "cpu/random.h"

namespace minidl::bindings::random {
namespace {

template <class T>
using Out = py::array_t<T, py::array::c_style>;

// Fills a contiguous array in place, without the GIL.
template <class T, void (*Fill)(T*, int64_t, cpu::Stream)>
void fill(Out<T> out, uint64_t seed, uint64_t offset) {
  T* data = out.mutable_data();  // ValueError when read-only
  const int64_t count = out.size();
  py::gil_scoped_release release;
  Fill(data, count, {seed, offset});
}

void fill_integers(Out<int64_t> out, int64_t low, uint64_t span, uint64_t seed, uint64_t offset) {
  int64_t* data = out.mutable_data();
  const int64_t count = out.size();
  py::gil_scoped_release release;
  cpu::fill_integers(data, count, low, span, {seed, offset});
}

// One block of the generator itself, for its published test vectors.
std::array<uint32_t, 4> philox_block(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  const auto block = philox(PhiloxBlock{{counter[0], counter[1], counter[2], counter[3]}},
                            PhiloxKey(key[0], key[1]));
  return {block.word[0], block.word[1], block.word[2], block.word[3]};
}

template <class T, void (*Fill)(T*, int64_t, cpu::Stream)>
void define(py::module_& m, const char* name) {
  // noconvert: a converted argument would be a copy, and the copy would be filled.
  m.def(name, &fill<T, Fill>, py::arg("out").noconvert(), py::arg("seed"), py::arg("offset"));
}

}  // namespace

MINIDL_REGISTER(random) {
  using namespace minidl::cpu;
  define<uint32_t, fill_bits>(m, "random_bits");
  define<uint64_t, fill_bits>(m, "random_bits");
  define<float, fill_uniform>(m, "random_uniform");
  define<double, fill_uniform>(m, "random_uniform");
  define<float, fill_normal>(m, "random_normal");
  define<double, fill_normal>(m, "random_normal");
  define<float, fill_exponential>(m, "random_exponential");
  define<double, fill_exponential>(m, "random_exponential");
  m.def("random_integers", &fill_integers, py::arg("out").noconvert(), py::arg("low"),
        py::arg("span"), py::arg("seed"), py::arg("offset"));
  m.def("philox_block", &philox_block, py::arg("counter"), py::arg("key"));
}

}  // namespace minidl::bindings::random
