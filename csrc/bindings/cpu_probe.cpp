#include "cpu/probe.h"

#include <pybind11/numpy.h>

#include <stdexcept>
#include <string>

#include "bindings/registry.h"

namespace minidl::bindings::probe {
namespace {

double multiply_add(int64_t rounds, int64_t pieces, const std::string& dtype) {
  if (rounds < 0 || pieces < 0) {
    throw std::invalid_argument("probe_multiply_add expects non-negative counts, got " +
                                std::to_string(rounds) + " and " + std::to_string(pieces));
  }
  if (dtype != "float32" && dtype != "float64") {
    throw std::invalid_argument("probe_multiply_add knows float32 and float64, got '" + dtype +
                                "'");
  }
  const pybind11::gil_scoped_release unlocked;
  return dtype == "float32" ? cpu::probe_multiply_add<float>(rounds, pieces)
                            : cpu::probe_multiply_add<double>(rounds, pieces);
}

using Bytes = pybind11::array_t<uint8_t, pybind11::array::c_style>;

void copy(Bytes target, const Bytes& source, int64_t grain) {
  if (target.size() != source.size() || target.data() == source.data() || grain < 1) {
    throw std::invalid_argument(
        "probe_copy expects two arrays of the same size and a positive grain");
  }
  uint8_t* to = target.mutable_data();
  const uint8_t* from = source.data();
  const int64_t bytes = source.size();
  const pybind11::gil_scoped_release unlocked;
  cpu::probe_copy(bytes, grain, from, to);
}

}  // namespace

MINIDL_REGISTER(probe) {
  m.def("probe_multiply_add", &multiply_add, pybind11::arg("rounds"), pybind11::arg("pieces"),
        pybind11::arg("dtype"),
        "Multiply-adds in registers, on all threads; returns how many flops they were.");
  m.def("probe_copy", &copy, pybind11::arg("target").noconvert(),
        pybind11::arg("source").noconvert(), pybind11::arg("grain"),
        "Copies bytes on all threads, `grain` bytes a piece.");
}

}  // namespace minidl::bindings::probe
