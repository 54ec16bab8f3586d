// The compute capability that the emulated device pretends to have, so that the kernels of older
// GPUs are tested too.
#pragma once

namespace minidl::emulator {

// MINIDL_EMULATOR_CAPABILITY=7.5 gives 75; unset or empty is 90. Throws std::invalid_argument for
// anything that is no such number.
int capability_from_environment();

}  // namespace minidl::emulator
