#include "bindings/registry.h"
#include "cpu/thread_pool.h"

MINIDL_REGISTER(threads) {
  m.def("get_num_threads", &minidl::cpu::get_num_threads,
        "Threads that the CPU kernels use, the caller included.");
  m.def("set_num_threads", &minidl::cpu::set_num_threads, pybind11::arg("count"),
        "Sets the number of threads of the CPU kernels; ValueError for count < 1.");
}
