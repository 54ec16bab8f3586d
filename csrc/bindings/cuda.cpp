// minidl._cuda: the CUDA kernels, for arrays given as (pointer, dtype character, shape, strides)
// and a stream given as an integer. minidl._emulated: the same functions run by csrc/emulator, for
// host arrays.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "bindings/registry.h"
#include "bindings/translate.h"
#include "cuda/device.h"

PYBIND11_MODULE(MINIDL_MODULE, m) {
  m.doc() = "CUDA kernels of minidl (see minidl/backends/cuda).";
  minidl::bindings::translate_exceptions();
  m.def(
      "device_count",
      [] {
        const auto devices = minidl::cuda::devices();
        return std::pair(devices.count, devices.reason);
      },
      "(number of CUDA devices, why there is none). Never raises.");
  minidl::bindings::define_families(m);
}
